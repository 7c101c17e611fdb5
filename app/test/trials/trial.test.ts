import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { pino } from "pino";

import { localCache } from "../../src/cache/local.ts";
import type { Stored, TrialStore } from "../../src/trials/store.ts";
import { localOnTrial } from "../../src/trials/tiers.ts";
import { begun, doubtOf, OtherRelease, promoted, type Trial } from "../../src/trials/trial.ts";
import { openTrials, type Trials } from "../../src/trials/trials.ts";
import { embeddingOf } from "../../src/vector/embedding.ts";
import { trueVector } from "../support/vectors.ts";
import { propertyRuns } from "../../../tests/support/property.ts";

const WRITER = "0123456789abcdef";
const WISH = { writer: WRITER, release: "one", actor: "ann", reason: "a test" };

const at = (now: number, release = "one") => ({ ...WISH, release, now, until: now + 1_000 });

describe("A record", () => {
    test("says of every entry what became of the trial that it was made in", () => {
        const step = fc.record({
            pause: fc.integer({ min: 1, max: 100 }),
            what: fc.constantFrom("begin", "again", "promote", "make", "make", "make"),
        });
        fc.assert(
            fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
                let now = 0;
                let release = 0;
                let trial: Trial | undefined;
                /** Number of the trial under which an entry was made; 0: before the first order. */
                let period = 0;
                const fates = new Map<number, "quarantined" | "not_promoted" | undefined>([
                    [0, undefined],
                ]);
                const made: { readonly createdAt: number; readonly period: number }[] = [];
                for (const { pause, what } of steps) {
                    now += pause;
                    if (what === "make") made.push({ createdAt: now, period });
                    if (what === "again" && trial?.state === "trial") {
                        expect(begun(trial, at(now, String(release)))).toEqual({
                            ...trial,
                            until: now + 1_000,
                        });
                    }
                    if (what === "begin") {
                        const running = fates.get(period) === "quarantined";
                        if (running) fates.set(period, "not_promoted");
                        // Before its first order a build is not known: all it has made is on trial.
                        if (trial) period += 1;
                        release += 1;
                        fates.set(period, "quarantined");
                        trial = begun(trial, at(now, String(release)));
                    }
                    if (what === "promote") {
                        fates.set(period, undefined);
                        trial = promoted(trial, at(now, String(release)));
                    }
                }
                if (!trial) return;
                for (const one of made) {
                    expect([one, doubtOf(trial, one.createdAt)]).toEqual([
                        one,
                        fates.get(one.period),
                    ]);
                }
            }),
            propertyRuns(2_000),
        );
    });

    test("is later than the one before, also when another clock is behind", () => {
        const first = begun(undefined, at(5_000));
        const second = promoted(first, at(1_000));
        expect(second.at).toBeGreaterThan(first.at);
        const third = begun(second, at(1_000, "two"));
        expect(third.at).toBeGreaterThan(second.at);
    });

    test("of a promoted build may reach back, so that what it wrote since then is not served", () => {
        const trusted = promoted(begun(undefined, at(100)), at(200));
        const back = begun(trusted, at(1_000, "two"), 150);
        expect([140, 150, 990].map((time) => doubtOf(back, time))).toEqual([
            undefined,
            "quarantined",
            "trial",
        ]);
    });

    test("doubts an entry whose time is no number", () => {
        expect(doubtOf(begun(undefined, at(100)), NaN)).toBe("quarantined");
    });

    test("is promoted by its own release only", () => {
        const running = begun(undefined, at(100));
        expect(() => promoted(running, at(200, "two"))).toThrow(OtherRelease);
        expect(promoted(running, at(200)).state).toBe("promoted");
    });
});

/** What Redis keeps, which can be emptied and be set back to what it was. */
function memoryStore() {
    let records = new Map<string, Stored>();
    let version: string | null = null;
    let changes = 0;
    let snapshot: { records: typeof records; version: string | null } = { records, version };
    const store: TrialStore = {
        version: () => Promise.resolve(version),
        all: () => Promise.resolve(new Map(records)),
        swap: (writer, before, after) => {
            if (records.get(writer)?.text !== before?.text) return Promise.resolve(false);
            records = new Map(records);
            if (after) records.set(writer, { text: JSON.stringify(after), trial: after });
            else records.delete(writer);
            version = String((changes += 1));
            return Promise.resolve(true);
        },
        onReachable: () => undefined,
    };
    return {
        store,
        records: () => [...records.values()].flatMap(({ trial }) => trial ?? []),
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

const podOn = (store: TrialStore, writer = "fedcba9876543210"): Trials =>
    openTrials({ store, writer, lifeMilliseconds: LIFE, evict: () => undefined, log });

/** One look at Redis, as the timer of a pod takes it each second. */
async function poll(pod: Trials): Promise<void> {
    await pod.start();
    pod.stop();
}

const command = fc.oneof(
    fc.record({ what: fc.constantFrom("begin", "promote", "poll", "poll"), pod: fc.nat(PODS - 1) }),
    fc.record({ what: fc.constantFrom("restart"), pod: fc.nat(PODS - 1) }),
    fc.record({ what: fc.constantFrom("empty", "save", "restore"), pod: fc.constant(0) }),
);

describe("Whatever Redis forgets or brings back", () => {
    test("no pod goes back behind what it knows, and soon all know the latest that any knew", async () => {
        await fc.assert(
            fc.asyncProperty(fc.array(command, { maxLength: 30 }), async (commands) => {
                const redis = memoryStore();
                const pods = Array.from({ length: PODS }, () => podOn(redis.store));
                const latest = (records: readonly Trial[]): number =>
                    Math.max(-Infinity, ...records.map((record) => record.at));
                const known = (index: number): number => latest(pods[index]?.list() ?? []);
                let release = 0;
                for (const { what, pod: index } of commands) {
                    const before = pods.map((_, each) => known(each));
                    const pod = pods[index] ?? podOn(redis.store);
                    if (what === "poll") await poll(pod);
                    if (what === "begin") {
                        await pod.begin({ ...WISH, release: String((release += 1)) });
                    }
                    if (what === "promote") {
                        // The trial may be that of a release that this pod has not begun.
                        const [running] = pod.list();
                        await pod
                            .promote({ ...WISH, release: running?.release ?? "none" })
                            .catch((error: unknown) => {
                                if (!(error instanceof OtherRelease)) throw error;
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
                // Also all that is said in it.
                for (const pod of pods) expect(pod.list()).toEqual(redis.records());
            }),
            {
                ...propertyRuns(500),
                // Redis is set back to the version that a pod has read last, after that pod's own order.
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

describe("A record ends", () => {
    test("when no entry of its build can be alive, and not while one of its pods lives", async () => {
        const redis = memoryStore();
        const ended = { ...begun(undefined, at(0)), until: 1 };
        await redis.store.swap(WRITER, undefined, ended);
        const other = podOn(redis.store);
        await poll(other);
        expect(other.list()).toEqual([]);
        const short = { ...ended, until: Date.now() + LIFE / 2 };
        await redis.store.swap(WRITER, { text: JSON.stringify(ended), trial: ended }, short);
        await poll(other);
        expect(other.list()).toMatchObject([{ until: short.until }]);
        const own = podOn(redis.store, WRITER);
        await poll(own);
        await poll(own);
        await poll(other);
        const [lengthened] = other.list();
        expect(lengthened?.until).toBeGreaterThan(Date.now() + LIFE);
        expect({ ...lengthened, until: 0 }).toEqual({ ...short, until: 0 });
    });

    test("and is taken out of Redis by the next order", async () => {
        const redis = memoryStore();
        const ended = { ...begun(undefined, at(0)), until: 1 };
        await redis.store.swap(WRITER, undefined, ended);
        const next = "a".repeat(16);
        await podOn(redis.store).begin({ ...WISH, writer: next });
        expect(redis.records().map(({ writer }) => writer)).toEqual([next]);
    });
});

describe("A pod's memory", () => {
    test("takes in nothing that was on its way from Redis when its build was put on trial", async () => {
        const redis = memoryStore();
        const pod = podOn(redis.store);
        const memory = localCache({ maxEntries: 10, maxBytes: 1e6, staleSeconds: 60 });
        const local = localOnTrial(pod, memory);
        const made = (writer?: string) =>
            embeddingOf(trueVector("text"), 1, false, {
                writer,
                createdAt: Date.now(),
                freshUntil: Date.now() + LIFE,
                effort: 1,
            });
        await pod.begin(WISH);
        local.set("other's", made(WRITER));
        local.set("own", made());
        local.set("own, from Redis", made(pod.writer));
        expect(
            ["other's", "own", "own, from Redis"].map((key) => local.get(key) !== undefined),
        ).toEqual([false, true, true]);
    });

    test("lets go of what became untrusted, and of nothing else", () => {
        const memory = localCache({ maxEntries: 10, maxBytes: 1e6, staleSeconds: 60 });
        for (let n = 0; n < 10; n += 1)
            memory.set(String(n), embeddingOf(trueVector("x"), n, false));
        memory.removeAll(({ tokens }) => tokens % 3 === 0);
        const left = Array.from({ length: 10 }, (_, n) => n).filter((n) => memory.get(String(n)));
        expect(left).toEqual([1, 2, 4, 5, 7, 8]);
    });
});
