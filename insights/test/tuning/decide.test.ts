import { describe, expect, test } from "@jest/globals";
import { GHOST_TTLS_SECONDS, type RuntimeSettingsState } from "@property-search/contract";
import { dayOf, decide, takeBack, type Day } from "../../src/tuning/decide.ts";
import type { Evidence, LocalCacheEvidence, TtlEvidence } from "../../src/tuning/evidence.ts";
import {
    emptyRecord,
    type Decision,
    type Mode,
    type TuningRecord,
} from "../../src/tuning/record.ts";
import { applyValues, CONFIGURED, configuredSettings } from "../support/settings.ts";

const DAY = 86_400;
const WEEK = 7 * DAY;
/** A step down from a week, in whole minutes. */
const STEP_DOWN = 554_580;
const MONDAY = Date.parse("2026-11-30T02:00:00Z");
const EIGHT = Array.from({ length: 8 }, (_, at) => at);

/** Fetches fall with the lifetime to a power; the optimum depends on the price of storage. */
function ttlEvidence(dollarsPerEntryDay: number, changes: Partial<TtlEvidence> = {}): TtlEvidence {
    const fetches = EIGHT.map((group) =>
        GHOST_TTLS_SECONDS.map((ttl) => (1_000 + 5 * group) * (ttl / DAY) ** -0.5),
    );
    return {
        ttls: GHOST_TTLS_SECONDS,
        fetches,
        memorySeconds: 30 * DAY,
        measuredFetches: 8_140 * (WEEK / DAY) ** -0.5,
        dollarsPerFetch: 1e-5,
        dollarsPerEntrySecond: dollarsPerEntryDay / DAY,
        staleSeconds: 0,
        ...changes,
    };
}

/** The cheapest lifetime is that of `1e-5 / dollarsPerEntryDay` days. */
const STORAGE_IS_DEAR = ttlEvidence(1e-5);
const STORAGE_IS_CHEAP = ttlEvidence(1e-7);
const BALANCED = ttlEvidence(1e-5 / 7);

const LOCAL: LocalCacheEvidence = {
    entries: [500, 1_000, 2_000, 4_000, 8_000],
    hitShares: [0.3, 0.4, 0.5, 0.505, 0.51],
    measuredShare: 0.5,
    redisShare: 0.2,
};

interface Run {
    record: TuningRecord;
    settings: RuntimeSettingsState;
}

function begin(): Run {
    return { record: emptyRecord(new Date(MONDAY)), settings: configuredSettings() };
}

interface NightOptions {
    readonly ttl?: TtlEvidence | string;
    readonly local?: LocalCacheEvidence | string;
    readonly day?: Partial<Day>;
    readonly mode?: Mode;
    /** Hours after midnight of the night. */
    readonly hours?: number;
}

/** Runs the tuner in a night, and applies what it decides. @returns the decisions of that night */
function night(run: Run, number: number, options: NightOptions = {}): readonly Decision[] {
    const { ttl = "not measured", local = "not measured", mode = "automatic", hours = 0 } = options;
    const now = MONDAY + (number * 24 + hours) * 3_600_000;
    const evidence: Evidence = { cacheTtlSeconds: ttl, localCacheMaxEntries: local };
    const result = decide({
        record: run.record,
        settings: run.settings,
        mode,
        now: new Date(now),
        day: { day: dayOf(now), from: now - DAY * 1000, to: now, evidence, ...options.day },
    });
    run.record = result.record;
    if (Object.keys(result.values).length > 0)
        run.settings = applyValues(run.settings, result.values);
    return result.record.decisions.filter(({ at }) => Date.parse(at) === now);
}

const ttlOf = ({ settings }: Run) => settings.settings.cacheTtlSeconds.value;
const decisionOf = (decisions: readonly Decision[], setting = "cacheTtlSeconds") =>
    decisions.find((one) => one.setting === setting);

/** Evidence with the fetches that a service makes with a lifetime. */
const at = (ttl: number, evidence: TtlEvidence): TtlEvidence => ({
    ...evidence,
    measuredFetches: 8_140 * (ttl / DAY) ** -0.5,
});

describe("the lifetime of entries", () => {
    test("shrinks by small steps, each when the entries of the one before are gone, and stays there", () => {
        const run = begin();
        for (let number = 0; number < 150; number += 1)
            night(run, number, { ttl: at(ttlOf(run) ?? NaN, STORAGE_IS_DEAR) });
        const changes = run.record.decisions.filter(({ action }) => action === "change");
        expect(changes.length).toBeGreaterThan(15);
        expect(changes[0]).toMatchObject({ from: WEEK, to: STEP_DOWN });
        changes.forEach(({ at: time, from, to, status }, number) => {
            expect((to ?? NaN) / from).toBeCloseTo(STEP_DOWN / WEEK, 2);
            expect(status).toBe("confirmed");
            const next = Date.parse(changes[number + 1]?.at ?? "2027-12-31T00:00:00Z");
            expect(next - Date.parse(time)).toBeGreaterThanOrEqual(from * 1000);
        });
        // The cost changes by less than the hysteresis within this range around one day.
        expect(ttlOf(run)).toBeGreaterThan(0.7 * DAY);
        expect(ttlOf(run)).toBeLessThan(2 * DAY);
        expect(changes.at(-1)?.day.localeCompare("2027-04-01")).toBe(-1);
    });

    test("grows if storage is cheap, up to what the ghost caches know", () => {
        const run = begin();
        for (let number = 0; number < 6; number += 1)
            night(run, number, {
                ttl: { ...at(ttlOf(run) ?? NaN, STORAGE_IS_CHEAP), memorySeconds: 16 * DAY },
            });
        expect(ttlOf(run)).toBe(14 * DAY);
    });

    test("stays if no other one is cheaper by more than the hysteresis or the error of sampling", () => {
        const run = begin();
        expect(decisionOf(night(run, 0, { ttl: BALANCED }))).toMatchObject({
            action: "keep",
            to: null,
        });
        // One group of keys has all of the gain.
        const uneven = EIGHT.map((group) =>
            GHOST_TTLS_SECONDS.map((ttl) => (group === 0 ? 8_140 : 0) * (ttl / DAY) ** -0.5),
        );
        const decision = decisionOf(
            night(begin(), 0, { ttl: { ...STORAGE_IS_DEAR, fetches: uneven } }),
        );
        expect(decision).toMatchObject({ action: "keep" });
        expect(decision?.reason).toContain("error of sampling");
    });

    test.each<[string, Partial<TtlEvidence>]>([
        ["the ghost caches cover only the last 3 d", { memorySeconds: 3 * DAY }],
        ["something else than the lifetime decides, such as evictions", { measuredFetches: 9_000 }],
        ["20 fetches a day are too few", { measuredFetches: 20 }],
        ["the price of a fetch or of storage is 0", { dollarsPerFetch: 0 }],
    ])("stays, since %s", (reason, changes) => {
        const run = begin();
        const decision = decisionOf(night(run, 0, { ttl: { ...STORAGE_IS_DEAR, ...changes } }));
        expect(decision).toMatchObject({ action: "keep", status: "none" });
        expect(decision?.reason).toContain(reason);
        expect(ttlOf(run)).toBe(WEEK);
    });
});

describe("the local cache", () => {
    test("is doubled if it then answers more, and halved if it answers hardly less", () => {
        const run = begin();
        const growing = { ...LOCAL, hitShares: [0.3, 0.4, 0.5, 0.56, 0.58] };
        night(run, 0, { local: growing });
        expect(run.settings.settings.localCacheMaxEntries.value).toBe(4_000);
        const later = { ...growing, measuredShare: 0.56, redisShare: 0.14 };
        expect(decisionOf(night(run, 1, { local: later }), "localCacheMaxEntries")).toMatchObject({
            action: "change",
            to: 8_000,
        });
        const flat = { ...LOCAL, hitShares: [0.3, 0.5, 0.5, 0.5, 0.5] };
        const small = begin();
        night(small, 0, { local: flat });
        expect(small.settings.settings.localCacheMaxEntries.value).toBe(1_000);
    });

    test("does not grow for requests that Redis does not answer, nor beyond the memory of a pod", () => {
        const growing = { ...LOCAL, hitShares: [0.3, 0.4, 0.5, 0.56, 0.58] };
        const run = begin();
        night(run, 0, { local: { ...growing, redisShare: 0.005 } });
        expect(run.settings.settings.localCacheMaxEntries.value).toBe(2_000);
        const bounded: Run = {
            ...begin(),
            settings: configuredSettings({ localCacheMaxEntries: { most: 3_000 } }),
        };
        night(bounded, 0, { local: growing });
        expect(bounded.settings.settings.localCacheMaxEntries.value).toBe(3_000);
    });

    test("returns if its share falls short, but not if fewer requests repeat at all", () => {
        const growing = { ...LOCAL, hitShares: [0.3, 0.4, 0.5, 0.56, 0.58] };
        const [failing, quiet] = [begin(), begin()];
        for (const run of [failing, quiet]) night(run, 0, { local: growing });
        const missed = night(failing, 1, { local: { ...growing, measuredShare: 0.5 } });
        expect(decisionOf(missed, "localCacheMaxEntries")).toMatchObject({
            action: "roll back",
            from: 4_000,
            to: 2_000,
        });
        const less = growing.hitShares.map((share) => 0.8 * share);
        night(quiet, 1, { local: { ...growing, hitShares: less, measuredShare: 0.448 } });
        expect(quiet.settings.settings.localCacheMaxEntries.value).not.toBe(2_000);
    });
});

describe("a change", () => {
    test("is compared with its prediction a day later, at that day's demand and prices, and taken back if it failed", () => {
        const run = begin();
        night(run, 0, { ttl: STORAGE_IS_DEAR });
        expect(ttlOf(run)).toBe(STEP_DOWN);
        const [decision] = night(run, 1, { ttl: at(STEP_DOWN, STORAGE_IS_CHEAP) });
        expect(decision).toMatchObject({ action: "roll back", from: STEP_DOWN, to: WEEK });
        expect(decision?.reason).toContain("missed its prediction");
        expect(run.settings.settings.cacheTtlSeconds).toMatchObject({
            source: "config",
            value: WEEK,
        });
        expect(run.record.decisions.find(({ action }) => action === "change")).toMatchObject({
            status: "rolled back",
            measured: { day: "2026-12-01", holds: false },
        });
    });

    test("is taken back if the service fetches what the ghosts do not explain", () => {
        const run = begin();
        night(run, 0, { ttl: STORAGE_IS_CHEAP });
        expect(ttlOf(run)).toBe(14 * DAY);
        const evicting = { ...STORAGE_IS_CHEAP, measuredFetches: 6_000 };
        expect(decisionOf(night(run, 1, { ttl: evicting }))).toMatchObject({ action: "roll back" });
        expect(ttlOf(run)).toBe(WEEK);
    });

    test("is followed by no other for three days after it was rolled back", () => {
        const run = begin();
        night(run, 0, { ttl: STORAGE_IS_DEAR });
        night(run, 1, { ttl: at(STEP_DOWN, STORAGE_IS_CHEAP) });
        for (const number of [2, 3])
            expect(decisionOf(night(run, number, { ttl: STORAGE_IS_DEAR }))?.reason).toContain(
                "rolled back on 2026-12-01: no other for three days",
            );
        expect(decisionOf(night(run, 4, { ttl: STORAGE_IS_DEAR }))?.action).toBe("change");
    });

    test("is made once a day, however often the tuner runs", () => {
        const run = begin();
        night(run, 0, { ttl: STORAGE_IS_DEAR });
        for (const hours of [1, 6, 19]) {
            night(run, 0, { ttl: at(WEEK, STORAGE_IS_DEAR), hours });
            expect(ttlOf(run)).toBe(STEP_DOWN);
        }
        expect(run.record.decisions.filter(({ action }) => action === "change")).toHaveLength(1);
        night(run, 8, { ttl: at(STEP_DOWN, STORAGE_IS_DEAR) });
        expect(ttlOf(run)).toBeLessThan(STEP_DOWN);
    });

    test("waits for a complete day to be compared with, however long that takes", () => {
        const run = begin();
        night(run, 0, { ttl: STORAGE_IS_DEAR });
        const partial = { evidence: "counts of this day are missing: Prometheus has no data" };
        for (const number of [1, 2, 5])
            expect(decisionOf(night(run, number, { day: partial }))).toMatchObject({
                action: "keep",
                reason: partial.evidence,
            });
        expect(ttlOf(run)).toBe(STEP_DOWN);
        night(run, 9, { ttl: at(STEP_DOWN, STORAGE_IS_DEAR) });
        expect(run.record.decisions.find(({ action }) => action === "change")).toMatchObject({
            status: "confirmed",
            measured: { day: "2026-12-09", holds: true },
        });
    });

    test("is not made before the clock is past the last one, after it has jumped back", () => {
        const run = begin();
        night(run, 0, { ttl: STORAGE_IS_DEAR });
        const [decision] = night(run, -3, { ttl: STORAGE_IS_DEAR });
        expect(decision?.reason).toContain("the clock is before the change of 2026-11-30");
        expect(ttlOf(run)).toBe(STEP_DOWN);
        // A jump forward by a month leaves nothing to compare: the evidence of the month ago is not used.
        night(run, 30, { ttl: at(STEP_DOWN, STORAGE_IS_DEAR) });
        expect(run.record.state.days.map(({ day }) => day)).toEqual(["2026-12-30"]);
    });
});

describe("nothing is changed", () => {
    test("in review mode, which proposes", () => {
        const run = begin();
        const decision = decisionOf(night(run, 0, { ttl: STORAGE_IS_DEAR, mode: "review" }));
        expect(decision).toMatchObject({ action: "propose", status: "proposed", to: STEP_DOWN });
        expect(run.settings.version).toBe(0);
    });

    test("after the kill switch, which also ends the comparison of a change", () => {
        const run = begin();
        night(run, 0, { ttl: STORAGE_IS_DEAR });
        const stopped = applyValues(run.settings, { cacheTtlSeconds: null });
        run.settings = { ...stopped, tuning: "stopped", actor: "ann", reason: "odd hit rates" };
        const decision = decisionOf(night(run, 1, { ttl: STORAGE_IS_DEAR }));
        expect(decision).toMatchObject({
            action: "keep",
            reason: "tuning was stopped by ann: odd hit rates",
        });
        expect(run.record.decisions[0]).toMatchObject({
            status: "superseded",
            outcome: "tuning was stopped",
        });
        expect(ttlOf(run)).toBe(WEEK);
    });

    test("while an experiment varies the setting, or somebody has set it", () => {
        const experiment = {
            experiment: "cache_ttl_optimization",
            value: null,
            source: "experiment",
        } as const;
        const varied: Run = {
            ...begin(),
            settings: configuredSettings({ cacheTtlSeconds: experiment }),
        };
        expect(decisionOf(night(varied, 0, { ttl: STORAGE_IS_DEAR }))?.reason).toBe(
            "the experiment cache_ttl_optimization varies it",
        );
        const byHand = begin();
        byHand.settings = applyValues(byHand.settings, { cacheTtlSeconds: DAY }, "ann");
        expect(decisionOf(night(byHand, 0, { ttl: STORAGE_IS_DEAR }))?.reason).toContain(
            "ann has set it",
        );
        expect([varied.settings.version, ttlOf(byHand)]).toEqual([0, DAY]);
    });

    test("by a change that a deploy has superseded: it is not compared any more", () => {
        const run = begin();
        night(run, 0, { ttl: STORAGE_IS_DEAR });
        const { tuned } = run.settings.settings.cacheTtlSeconds;
        const deployed = { configured: 2 * DAY, value: 2 * DAY, source: "config" as const, tuned };
        run.settings = configuredSettings({ cacheTtlSeconds: deployed });
        night(run, 1, { ttl: at(2 * DAY, ttlEvidence(1e-5 / 2)) });
        expect(run.record.decisions[0]).toMatchObject({ status: "superseded", measured: null });
        expect(ttlOf(run)).toBe(2 * DAY);
    });

    test("if tuning is off: what the tuner has set is taken back, and what people have set is not", () => {
        const run = begin();
        night(run, 0, { ttl: STORAGE_IS_DEAR });
        run.settings = applyValues(run.settings, { localCacheMaxEntries: 5_000 }, "ann");
        const { values, record } = takeBack({ ...run, now: new Date(MONDAY + 3_600_000) });
        expect(values).toEqual({ cacheTtlSeconds: null });
        expect(record.decisions.map(({ status }) => status)).not.toContain("in force");
        expect(record.state.mode).toBe("off");
    });
});

test("the record has a bounded size, and one entry for each setting and run", () => {
    const run = begin();
    for (let number = 0; number < 250; number += 1)
        night(run, number, { ttl: BALANCED, local: LOCAL });
    expect(run.record.decisions).toHaveLength(400);
    expect(new Set(run.record.decisions.map(({ id }) => id)).size).toBe(400);
    expect(run.record.state.days).toHaveLength(7);
    expect(CONFIGURED.cacheTtlSeconds).toBe(ttlOf(run));
});
