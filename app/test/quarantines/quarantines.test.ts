import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { pino } from "pino";

import { createLocalCache } from "../../src/cache/localCache.ts";
import type { StoredRecord, QuarantineStore } from "../../src/quarantines/store.ts";
import { withLocalQuarantines } from "../../src/quarantines/tiers.ts";
import {
    startQuarantine,
    quarantineReason,
    OtherReleaseError,
    endQuarantine,
    type QuarantineRecord,
} from "../../src/quarantines/record.ts";
import { createQuarantines, type Quarantines } from "../../src/quarantines/quarantines.ts";
import { createEmbedding } from "../../src/vector/embedding.ts";
import { trueVector } from "../support/vectors.ts";
import { propertyRuns } from "../../../tests/support/property.ts";

const WRITER = "0123456789abcdef";
const WISH = { buildId: WRITER, release: "one", actor: "ann", reason: "a test" };

const at = (now: number, release = "one") => ({ ...WISH, release, now, expiresAt: now + 1_000 });

describe("A record", () => {
    test("determines for every entry the state of the quarantine that it was made in", () => {
        const step = fc.record({
            pause: fc.integer({ min: 1, max: 100 }),
            what: fc.constantFrom("begin", "again", "promote", "make", "make", "make"),
        });
        fc.assert(
            fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
                let now = 0;
                let release = 0;
                let trial: QuarantineRecord | undefined;
                /** Number of the quarantine under which an entry was made; 0: before the first one. */
                let period = 0;
                const fates = new Map<number, "quarantined" | "not_promoted" | undefined>([
                    [0, undefined],
                ]);
                const made: { readonly createdAt: number; readonly period: number }[] = [];
                for (const { pause, what } of steps) {
                    now += pause;
                    if (what === "make") made.push({ createdAt: now, period });
                    if (what === "again" && trial?.state === "quarantined") {
                        expect(startQuarantine(trial, at(now, String(release)))).toEqual({
                            ...trial,
                            expiresAt: now + 1_000,
                        });
                    }
                    if (what === "begin") {
                        const running = fates.get(period) === "quarantined";
                        if (running) fates.set(period, "not_promoted");
                        // Before its first record, a build is unknown: all its entries are quarantined.
                        if (trial) period += 1;
                        release += 1;
                        fates.set(period, "quarantined");
                        trial = startQuarantine(trial, at(now, String(release)));
                    }
                    if (what === "promote") {
                        fates.set(period, undefined);
                        trial = endQuarantine(trial, at(now, String(release)));
                    }
                }
                if (!trial) return;
                for (const one of made) {
                    expect([one, quarantineReason(trial, one.createdAt)]).toEqual([
                        one,
                        fates.get(one.period),
                    ]);
                }
            }),
            propertyRuns(2_000),
        );
    });

    test("is later than the previous one, also if another clock is behind", () => {
        const first = startQuarantine(undefined, at(5_000));
        const second = endQuarantine(first, at(1_000));
        expect(second.changedAt).toBeGreaterThan(first.changedAt);
        const third = startQuarantine(second, at(1_000, "two"));
        expect(third.changedAt).toBeGreaterThan(second.changedAt);
    });

    test("of a promoted build may start in the past, so that entries since then are not served", () => {
        const trusted = endQuarantine(startQuarantine(undefined, at(100)), at(200));
        const back = startQuarantine(trusted, at(1_000, "two"), 150);
        expect([140, 150, 990].map((time) => quarantineReason(back, time))).toEqual([
            undefined,
            "quarantined",
            "quarantined",
        ]);
    });

    test("quarantines an entry with an invalid time", () => {
        expect(quarantineReason(startQuarantine(undefined, at(100)), NaN)).toBe("quarantined");
    });

    test("is promoted by its own release only", () => {
        const running = startQuarantine(undefined, at(100));
        expect(() => endQuarantine(running, at(200, "two"))).toThrow(OtherReleaseError);
        expect(endQuarantine(running, at(200)).state).toBe("promoted");
    });
});

/** The contents of Redis, which can be emptied and restored. */
function memoryStore() {
    let records = new Map<string, StoredRecord>();
    let version: string | null = null;
    let changes = 0;
    let snapshot: { records: typeof records; version: string | null } = { records, version };
    const store: QuarantineStore = {
        version: () => Promise.resolve(version),
        readAll: () => Promise.resolve(new Map(records)),
        compareAndSwap: (buildId, before, after) => {
            if (records.get(buildId)?.text !== before?.text) return Promise.resolve(false);
            records = new Map(records);
            if (after) records.set(buildId, { text: JSON.stringify(after), record: after });
            else records.delete(buildId);
            version = String((changes += 1));
            return Promise.resolve(true);
        },
        onReachable: () => undefined,
    };
    return {
        store,
        records: () => [...records.values()].flatMap(({ record }) => record ?? []),
        save: () => {
            snapshot = { records, version };
        },
        restore: () => {
            ({ records, version } = snapshot);
        },
        empty: () => {
            records = new Map();
            version = null;
        },
    };
}

const PODS = 3;
const LIFE = 60_000;
const log = pino({ level: "silent" });

const podOn = (store: QuarantineStore, buildId = "fedcba9876543210"): Quarantines =>
    createQuarantines({
        store,
        buildId,
        entryLifetimeMilliseconds: () => LIFE,
        evict: () => undefined,
        log,
    });

/** One poll of Redis, like a pod's timer each second. */
async function poll(pod: Quarantines): Promise<void> {
    await pod.start();
    pod.stop();
}

const command = fc.oneof(
    fc.record({ what: fc.constantFrom("begin", "promote", "poll", "poll"), pod: fc.nat(PODS - 1) }),
    fc.record({ what: fc.constantFrom("restart"), pod: fc.nat(PODS - 1) }),
    fc.record({ what: fc.constantFrom("empty", "save", "restore"), pod: fc.constant(0) }),
);

describe("Whatever Redis loses or restores", () => {
    test("no pod reverts to an older record, and soon all pods know the latest one", async () => {
        await fc.assert(
            fc.asyncProperty(fc.array(command, { maxLength: 30 }), async (commands) => {
                const redis = memoryStore();
                const pods = Array.from({ length: PODS }, () => podOn(redis.store));
                const latest = (records: readonly QuarantineRecord[]): number =>
                    Math.max(-Infinity, ...records.map((record) => record.changedAt));
                const known = (index: number): number => latest(pods[index]?.list() ?? []);
                let release = 0;
                for (const { what, pod: index } of commands) {
                    const before = pods.map((_, each) => known(each));
                    const pod = pods[index] ?? podOn(redis.store);
                    if (what === "poll") await poll(pod);
                    if (what === "begin") {
                        await pod.quarantine({ ...WISH, release: String((release += 1)) });
                    }
                    if (what === "promote") {
                        // The quarantine may be that of a release that this pod has not started.
                        const [running] = pod.list();
                        await pod
                            .promote({ ...WISH, release: running?.release ?? "none" })
                            .catch((error: unknown) => {
                                if (!(error instanceof OtherReleaseError)) throw error;
                            });
                    }
                    if (what === "restart") pods[index] = podOn(redis.store);
                    if (what === "empty") redis.empty();
                    if (what === "save") redis.save();
                    if (what === "restore") redis.restore();
                    for (const each of pods.keys()) {
                        const forgot = what === "restart" && each === index;
                        if (!forgot) expect(known(each)).toBeGreaterThanOrEqual(before[each] ?? 0);
                    }
                }
                const newest = latest([...redis.records(), ...pods.flatMap((pod) => pod.list())]);
                for (let round = 0; round < 2; round += 1) {
                    for (const pod of pods) await poll(pod);
                }
                expect([latest(redis.records()), ...pods.map((_, each) => known(each))]).toEqual(
                    Array.from({ length: PODS + 1 }, () => newest),
                );
                // Including all fields.
                for (const pod of pods) expect(pod.list()).toEqual(redis.records());
            }),
            {
                ...propertyRuns(500),
                // Redis is restored to the version that a pod read last, after that pod's own change.
                examples: [
                    [
                        [
                            { what: "begin", pod: 0 },
                            { what: "poll", pod: 1 },
                            { what: "save", pod: 0 },
                            { what: "begin", pod: 1 },
                            { what: "restore", pod: 0 },
                        ],
                    ],
                ],
            },
        );
    });
});

describe("A record expires", () => {
    test("when no entry of its build can exist, and not while one of its pods runs", async () => {
        const redis = memoryStore();
        const ended = { ...startQuarantine(undefined, at(0)), expiresAt: 1 };
        await redis.store.compareAndSwap(WRITER, undefined, ended);
        const other = podOn(redis.store);
        await poll(other);
        expect(other.list()).toEqual([]);
        const short = { ...ended, expiresAt: Date.now() + LIFE / 2 };
        await redis.store.compareAndSwap(
            WRITER,
            { text: JSON.stringify(ended), record: ended },
            short,
        );
        await poll(other);
        expect(other.list()).toMatchObject([{ expiresAt: short.expiresAt }]);
        const own = podOn(redis.store, WRITER);
        await poll(own);
        await poll(own);
        await poll(other);
        const [lengthened] = other.list();
        expect(lengthened?.expiresAt).toBeGreaterThan(Date.now() + LIFE);
        expect({ ...lengthened, expiresAt: 0 }).toEqual({ ...short, expiresAt: 0 });
    });

    test("and is removed from Redis by the next change", async () => {
        const redis = memoryStore();
        const ended = { ...startQuarantine(undefined, at(0)), expiresAt: 1 };
        await redis.store.compareAndSwap(WRITER, undefined, ended);
        const next = "a".repeat(16);
        await podOn(redis.store).quarantine({ ...WISH, buildId: next });
        expect(redis.records().map(({ buildId }) => buildId)).toEqual([next]);
    });
});

describe("A pod's memory", () => {
    test("rejects entries that were in transit from Redis when their build was quarantined", async () => {
        const redis = memoryStore();
        const pod = podOn(redis.store);
        const memory = createLocalCache({ maxEntries: 10, maxBytes: 1e6, staleSeconds: 60 });
        const local = withLocalQuarantines(pod, memory);
        const made = (buildId?: string) =>
            createEmbedding(trueVector("text"), 1, false, {
                buildId,
                createdAt: Date.now(),
                freshUntil: Date.now() + LIFE,
                computeMilliseconds: 1,
            });
        await pod.quarantine(WISH);
        local.set("other's", made(WRITER));
        local.set("own", made());
        local.set("own, from Redis", made(pod.buildId));
        expect(
            ["other's", "own", "own, from Redis"].map((key) => local.get(key) !== undefined),
        ).toEqual([false, true, true]);
    });

    test("removes what became untrusted, and nothing else", () => {
        const memory = createLocalCache({ maxEntries: 10, maxBytes: 1e6, staleSeconds: 60 });
        for (let n = 0; n < 10; n += 1)
            memory.set(String(n), createEmbedding(trueVector("x"), n, false));
        memory.removeWhere(({ tokens }) => tokens % 3 === 0);
        const remaining = Array.from({ length: 10 }, (_, n) => n).filter((n) =>
            memory.get(String(n)),
        );
        expect(remaining).toEqual([1, 2, 4, 5, 7, 8]);
    });
});
