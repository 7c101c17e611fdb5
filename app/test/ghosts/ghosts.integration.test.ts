import { hash } from "node:crypto";

import { beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { GHOST_TTLS_SECONDS, type MissReason } from "@property-search/contract";
import fc from "fast-check";
import { pino } from "pino";

import { propertyRuns } from "../../../tests/support/property.ts";
import { setUp } from "../../../tests/support/setUp.ts";
import type { Item } from "../../src/cache/item.ts";
import { createGhosts, type GhostEvents, type GhostsOptions } from "../../src/ghosts/ghosts.ts";
import {
    createRedisGhostRegistry,
    MAX_KEYS,
    MEMORY_SECONDS,
    type GhostRegistry,
} from "../../src/ghosts/registry.ts";
import { idOf, isIdInLevel, isSampled, KEYS_PER_SAMPLE } from "../../src/ghosts/sample.ts";
import { createRedisClient } from "../../src/redis/client.ts";
import { retryWithBackoff } from "../../src/redis/retryWithBackoff.ts";
import { createEmbedding, type Embedding } from "../../src/vector/embedding.ts";
import { eventually } from "../support/eventually.ts";
import { startCluster } from "../support/redisCluster.ts";
import { createContext } from "../support/requestContext.ts";
import { setUpRedis } from "../support/setUp.ts";

const log = pino({ level: "silent" });
const BEGIN = Date.UTC(2026, 0, 1);
const HOUR = 3_600;
const DAY = 24 * HOUR;
const LIFETIME_SECONDS = 8 * DAY;

/** Keys of the sample. */
const KEYS = Array.from({ length: 2_000 }, (_, at) =>
    hash("sha256", String(at), "base64url"),
).filter(isSampled);

let registry: GhostRegistry;
/** In milliseconds; the same for all pods. */
let now: number;

const redis = setUpRedis();

const commands = setUp(
    () => createRedisClient(redis.config, log),
    (one) => one.close(),
);

beforeAll(() => eventually("Redis is connected", () => commands.isConnected()));

beforeEach(() => {
    redis.command("FLUSHALL");
    registry = createRedisGhostRegistry(commands.client);
    now = BEGIN;
});

const pass = (seconds: number): void => void (now += seconds * 1000);

/** What a pod has counted, in sampled keys. */
interface Counts {
    readonly reasons: MissReason[];
    readonly reuseSeconds: number[];
    readonly distances: number[];
    /** By place in GHOST_TTLS_SECONDS. */
    readonly fetches: number[];
    firsts: number;
    dropped: number;
}

function createPod(changes: Partial<GhostsOptions> = {}) {
    const counts: Counts = {
        reasons: [],
        reuseSeconds: [],
        distances: [],
        fetches: GHOST_TTLS_SECONDS.map(() => 0),
        firsts: 0,
        dropped: 0,
    };
    let readState: Parameters<GhostEvents["onState"]>[0] = () => ({
        ratio: NaN,
        memorySeconds: undefined,
    });
    const times = (count: number): undefined[] =>
        new Array<undefined>(count / KEYS_PER_SAMPLE).fill(undefined);
    const ghosts = createGhosts({
        registry,
        isAvailable: () => true,
        hasNoEntries: () => Promise.resolve(true),
        isInvalidated: () => false,
        findEntry: () => Promise.resolve(undefined),
        isHidden: () => false,
        earlierKeysOf: () => [],
        entryLifetimeSeconds: () => LIFETIME_SECONDS,
        events: {
            onMiss: (_, reason, count) => counts.reasons.push(...times(count).map(() => reason)),
            onReuse: (_, seconds, count) =>
                counts.reuseSeconds.push(...times(count).map(() => seconds)),
            onFirstRequest: (_, count) => void (counts.firsts += count / KEYS_PER_SAMPLE),
            onFetches: (_, needsFetch, count) =>
                needsFetch.forEach((needed, place) => {
                    if (needed)
                        counts.fetches[place] =
                            (counts.fetches[place] ?? 0) + count / KEYS_PER_SAMPLE;
                }),
            onDistance: (_, entries) => counts.distances.push(entries),
            onDropped: (count) => void (counts.dropped += count / KEYS_PER_SAMPLE),
            onState: (read) => void (readState = read),
        },
        log,
        now: () => now,
        ...changes,
    });
    return {
        ...ghosts,
        counts,
        state: () => readState(),
        /** Sends what the timer would send within a second. */
        flush: ghosts.stop,
    };
}

type Pod = ReturnType<typeof createPod>;

const [KEY = ""] = KEYS;
const item = (key: string): Item => ({ key, input: { kind: "text", text: "a" } });
const entry = (createdAt: number, ttlSeconds: number): Embedding =>
    createEmbedding(Float32Array.of(1), 1, false, {
        createdAt,
        freshUntil: createdAt + ttlSeconds * 1000,
        computeMilliseconds: 1,
    });

/** A client's request that misses, and is fetched. */
async function miss(pod: Pod, key = KEY): Promise<MissReason | undefined> {
    const before = pod.counts.reasons.length;
    pod.record(key);
    for (const [, count] of pod.explain([item(key)], createContext()) ?? []) count();
    await eventually("the miss is explained", () => pod.counts.reasons.length > before);
    return pod.counts.reasons.at(-1);
}

/** The miss of a key whose entry was stored for a week, some time ago. */
async function missAfter(seconds: number, changes: Partial<GhostsOptions> = {}) {
    const pod = createPod(changes);
    await miss(pod);
    pod.onStored(KEY, entry(now, 7 * DAY));
    await pod.flush();
    pass(seconds);
    return miss(createPod(changes));
}

describe("a miss", () => {
    test("of a key that was never requested is cold", async () => {
        expect(await miss(createPod())).toBe("cold");
    });

    test("of a key that nobody knows, in a Redis that already had entries, is unknown for an entry's lifetime", async () => {
        const changes = { hasNoEntries: () => Promise.resolve(false) };
        expect(await miss(createPod(changes), KEYS[1])).toBe("unknown");
        pass(LIFETIME_SECONDS - 1);
        expect(await miss(createPod(changes), KEYS[2])).toBe("unknown");
        pass(1);
        expect(await miss(createPod(changes), KEYS[3])).toBe("cold");
    });

    test("after the end of the entry's lifetime is expired", async () => {
        expect(await missAfter(7 * DAY)).toBe("expired");
    });

    test("within a second after its end is expired, with and without a stale copy in Redis", async () => {
        now += 100;
        const old = entry(now, 7 * DAY);
        for (const found of [undefined, old]) {
            now = BEGIN + 100;
            redis.command("FLUSHALL");
            const findEntry = () => Promise.resolve(found);
            expect(await missAfter(7 * DAY + 0.8, { findEntry })).toBe("expired");
        }
        // The entry is not recorded in Redis, but has the end of its own lifetime.
        const pod = createPod({ findEntry: () => Promise.resolve(entry(BEGIN, HOUR)) });
        pod.onStored(KEY, entry(now, 30 * DAY));
        await pod.flush();
        expect(await miss(pod)).toBe("expired");
    });

    test("before its end, if Redis has no entry, is evicted", async () => {
        expect(await missAfter(7 * DAY - 1)).toBe("evicted");
    });

    test("is unknown if another fetch has already replaced the entry: the old one may have been there", async () => {
        const findEntry = () => Promise.resolve(entry(now + 1, DAY));
        expect(await missAfter(DAY, { findEntry })).toBe("unknown");
    });

    test("whose entry was read in the second in which it was replaced is not evicted either", async () => {
        now += 999;
        const findEntry = () => Promise.resolve(entry(now - 500, DAY));
        expect(await missAfter(DAY, { findEntry })).toBe("unknown");
    });

    test("reads the entry before its own fetch can replace it", async () => {
        const redis: { entry?: Embedding } = {};
        const pod = createPod({ findEntry: () => Promise.resolve(redis.entry) });
        await miss(pod);
        pod.onStored(KEY, entry(now, 7 * DAY));
        await pod.flush();
        pass(DAY);
        pod.record(KEY);
        const explained = pod.explain([item(KEY)], createContext());
        redis.entry = entry(now + 1, 7 * DAY);
        for (const [, count] of explained ?? []) count();
        await eventually("the miss is explained", () => pod.counts.reasons.length === 2);
        expect(pod.counts.reasons.at(-1)).toBe("evicted");
    });

    test("of an entry that was flagged or deleted is invalidated", async () => {
        expect(await missAfter(DAY, { isInvalidated: () => true })).toBe("invalidated");
    });

    test("is not invalidated by a flag of an older entry", async () => {
        const isInvalidated = (_: string, createdAt: number) => createdAt <= BEGIN - 1000;
        expect(await missAfter(DAY, { isInvalidated })).toBe("evicted");
    });

    test("of an entry that was stored in the second of a flag, before or after it, is unknown", async () => {
        const isInvalidated = (_: string, createdAt: number) => createdAt <= BEGIN + 300;
        now += 600;
        expect(await missAfter(DAY, { isInvalidated })).toBe("unknown");
    });

    test("of an entry of a quarantined build is invalidated", async () => {
        const findEntry = () => Promise.resolve(entry(BEGIN, 7 * DAY));
        expect(await missAfter(DAY, { findEntry, isHidden: () => true })).toBe("invalidated");
    });

    test("of an entry that could have been read is unknown", async () => {
        const findEntry = () => Promise.resolve(entry(BEGIN, 7 * DAY));
        expect(await missAfter(DAY, { findEntry })).toBe("unknown");
    });

    test("whose entry of an earlier epoch is still there is invalidated", async () => {
        const [earlier = ""] = KEYS.slice(5);
        const pod = createPod({
            earlierKeysOf: () => ["other", earlier],
            findEntry: (key) => Promise.resolve(key === earlier ? entry(BEGIN, DAY) : undefined),
        });
        expect(await miss(pod)).toBe("invalidated");
    });

    test("of a key whose fetch failed is unknown while that may still store it, and later not stored", async () => {
        const pod = createPod();
        expect(await miss(pod)).toBe("cold");
        pass(29);
        expect(await miss(pod)).toBe("unknown");
        pass(2);
        expect(await miss(pod)).toBe("not_stored");
    });

    test("of a first request that was recorded before it missed is cold, and that of another pod is not", async () => {
        const pods = [createPod(), createPod()];
        for (const pod of pods) {
            pod.record(KEY);
            await pod.flush();
            pass(5);
        }
        const reasons = [];
        for (const pod of pods) {
            for (const [, count] of pod.explain([item(KEY)], createContext()) ?? []) count();
            await eventually("the miss is explained", () => pod.counts.reasons.length > 0);
            reasons.push(...pod.counts.reasons);
        }
        expect(reasons).toEqual(["cold", "unknown"]);
    });

    test("is never cold if a request that was recorded earlier is known", async () => {
        const step = fc.record({
            pod: fc.constantFrom(0 as const, 1 as const),
            key: fc.integer({ min: 0, max: 2 }),
            seconds: fc.integer({ min: 0, max: 40 }),
            isMiss: fc.boolean(),
        });
        await fc.assert(
            fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
                redis.command("FLUSHALL");
                now = BEGIN;
                const pods = [createPod(), createPod()];
                const requested = new Set<string>();
                for (const { pod: at, key: place, seconds, isMiss } of steps) {
                    pass(seconds);
                    const [pod = createPod(), key = ""] = [pods[at], KEYS[place]];
                    let reason: string | undefined;
                    if (isMiss) reason = await miss(pod, key);
                    else pod.record(key);
                    await pod.flush();
                    expect([reason === "cold", requested.has(key)]).not.toEqual([true, true]);
                    requested.add(key);
                }
            }),
            propertyRuns(50),
        );
    });

    test("of a key that was requested while Redis was down is not cold afterwards", async () => {
        let isAvailable = false;
        const pod = createPod({ isAvailable: () => isAvailable });
        expect(await miss(pod)).toBe("unknown");
        pass(HOUR);
        isAvailable = true;
        expect(await miss(pod)).toBe("not_stored");
    });

    test("is not taken for one that was never stored if the history begins with the registry", async () => {
        const changes = { hasNoEntries: () => Promise.resolve(false) };
        const pod = createPod(changes);
        // A hit of a local cache.
        pod.record(KEY);
        await pod.flush();
        pass(HOUR);
        expect(await miss(pod)).toBe("unknown");
    });

    test("of an entry that another pod read from Redis before is not taken for one that was never stored", async () => {
        const pod = createPod();
        pod.record(KEY);
        pod.onStored(KEY, entry(BEGIN - HOUR * 1000, 2 * HOUR));
        await pod.flush();
        pass(2 * HOUR);
        expect(await miss(createPod())).toBe("expired");
    });

    test.each(["warmup", "refresh"] as const)("of a %s is not counted", (purpose) => {
        expect(createPod().explain([item(KEY)], { ...createContext(), purpose })).toBeUndefined();
    });

    test("of a key outside the sample is not counted", () => {
        const key = KEY.replaceAll(/./g, "_");
        expect(createPod().explain([item(key)], createContext())).toBe(undefined);
    });
});

describe("without Redis", () => {
    test("reasons are unknown, and the requests are recorded later, at the time of the request", async () => {
        let isAvailable = false;
        const pod = createPod({ isAvailable: () => isAvailable });
        expect(await miss(pod)).toBe("unknown");
        pass(HOUR);
        isAvailable = true;
        await pod.flush();
        pod.record(KEY);
        await pod.flush();
        expect(pod.counts).toMatchObject({ firsts: 1, reuseSeconds: [HOUR], dropped: 0 });
    });

    test("what it remembers is bounded, and the rest is counted as dropped", async () => {
        const pod = createPod({ isAvailable: () => false });
        const many = Array.from({ length: 100_000 }, (_, at) =>
            hash("sha256", `many ${at}`, "base64url"),
        ).filter(isSampled);
        for (const key of many) pod.record(key);
        await pod.flush();
        expect(pod.counts.dropped).toBe(many.length - 4_096);
    });

    test("a command that fails may have been executed: its requests are not counted, and its history is kept", async () => {
        const fails = { value: true };
        const failing: GhostRegistry = {
            ...registry,
            record: (...args) =>
                fails.value ? Promise.reject(new Error("timed out")) : registry.record(...args),
        };
        const pod = createPod({ registry: failing });
        expect(await miss(pod)).toBe("unknown");
        await pod.flush();
        pod.onStored(KEY, entry(now, DAY));
        await pod.flush();
        expect(pod.counts).toMatchObject({ firsts: 0, reuseSeconds: [], dropped: 1 });
        fails.value = false;
        await pod.flush();
        expect(pod.counts).toMatchObject({ firsts: 0, reuseSeconds: [], dropped: 1 });
        pass(HOUR);
        expect(await miss(createPod())).toBe("evicted");
        pass(DAY);
        expect(await miss(createPod())).toBe("expired");
    });

    test("reasons that rest on the history are unknown for a lifetime after some of it was lost", async () => {
        let isAvailable = true;
        const pod = createPod({ isAvailable: () => isAvailable });
        await miss(pod);
        pod.onStored(KEY, entry(now, HOUR));
        await pod.flush();
        isAvailable = false;
        pass(60);
        const many = Array.from({ length: 100_000 }, (_, at) =>
            hash("sha256", `many ${at}`, "base64url"),
        ).filter(isSampled);
        for (const key of many) pod.record(key);
        isAvailable = true;
        await pod.flush();
        pass(HOUR);
        // Its request was lost; the other pod learns of the loss from Redis.
        expect(await miss(createPod(), many.at(-1))).toBe("unknown");
        expect(await miss(createPod())).toBe("unknown");
        pass(LIFETIME_SECONDS);
        expect(await miss(createPod(), KEYS[7])).toBe("cold");
    });

    test("that is not configured, reasons are unknown, and distances are measured", async () => {
        const pod = createPod({ registry: undefined });
        expect(await miss(pod)).toBe("unknown");
        pod.record(KEY);
        expect(pod.counts.distances).toEqual([Infinity, 1]);
        expect(pod.state().memorySeconds).toBeUndefined();
    });
});

test("a registry that Redis has lost is not taken for one that knows all", async () => {
    const pod = createPod();
    await pod.start();
    expect(await miss(pod)).toBe("cold");
    redis.command("FLUSHALL");
    expect(await miss(pod, KEYS[1])).toBe("unknown");
    pass(LIFETIME_SECONDS);
    expect(await miss(pod, KEYS[2])).toBe("cold");
    await pod.stop();
});

test("the age of its memory is that of the registry, over a restart of the pod, at most thirty days", async () => {
    const first = createPod();
    await first.start();
    await first.stop();
    pass(3 * DAY);
    const next = createPod();
    expect(next.state()).toEqual({ ratio: 1 / KEYS_PER_SAMPLE, memorySeconds: undefined });
    await next.start();
    expect(next.state().memorySeconds).toBe(3 * DAY);
    pass(MEMORY_SECONDS);
    expect(next.state().memorySeconds).toBe(MEMORY_SECONDS);
    await next.stop();
});

interface Request {
    readonly pod: 0 | 1;
    readonly key: number;
    readonly seconds: number;
}

/** What the requests of all pods together are, computed from the whole list. */
function simulate(requests: readonly Request[]) {
    const last = new Map<number, number>();
    const fetchedAt = GHOST_TTLS_SECONDS.map(() => new Map<number, number>());
    const expected = {
        firsts: 0,
        reuseSeconds: [] as number[],
        fetches: GHOST_TTLS_SECONDS.map(() => 0),
    };
    let time = 0;
    for (const { key, seconds } of requests) {
        time += seconds;
        const before = last.get(key);
        if (before === undefined) expected.firsts += 1;
        else expected.reuseSeconds.push(time - before);
        last.set(key, time);
        GHOST_TTLS_SECONDS.forEach((ttl, place) => {
            const fetched = fetchedAt[place]?.get(key);
            if (fetched !== undefined && time - fetched < ttl) return;
            fetchedAt[place]?.set(key, time);
            expected.fetches[place] = (expected.fetches[place] ?? 0) + 1;
        });
    }
    return expected;
}

test("reuse times and fetches by lifetime are those of all requests, whichever pods they reach", async () => {
    const request = fc.record({
        pod: fc.constantFrom(0 as const, 1 as const),
        key: fc.integer({ min: 0, max: 4 }),
        seconds: fc.oneof(
            fc.integer({ min: 0, max: 60 }),
            fc.integer({ min: 0, max: 2 * HOUR }),
            fc.integer({ min: 0, max: 3 * DAY }),
        ),
    });
    await fc.assert(
        fc.asyncProperty(fc.array(request, { maxLength: 60 }), async (requests) => {
            redis.command("FLUSHALL");
            now = BEGIN;
            const pods = [createPod(), createPod()];
            for (const { pod, key, seconds } of requests) {
                pass(seconds);
                pods[pod]?.record(KEYS[key] ?? "");
                await pods[pod]?.flush();
            }
            const expected = simulate(requests);
            const sum = (of: (counts: Counts) => number) =>
                pods.reduce((all, { counts }) => all + of(counts), 0);
            expect(sum(({ firsts }) => firsts)).toBe(expected.firsts);
            expect(
                pods.flatMap(({ counts }) => counts.reuseSeconds).toSorted((a, b) => a - b),
            ).toEqual(expected.reuseSeconds.toSorted((a, b) => a - b));
            expect(
                GHOST_TTLS_SECONDS.map((_, at) => sum(({ fetches }) => fetches[at] ?? 0)),
            ).toEqual(expected.fetches);
        }),
        propertyRuns(300),
    );
});

test("works in a Redis Cluster, in which one node has the whole registry", async () => {
    const cluster = await startCluster();
    const clustered = createRedisClient(cluster.config, log);
    try {
        await eventually("the cluster is connected", () => clustered.isConnected());
        const pods = [1, 2].map(() =>
            createPod({ registry: createRedisGhostRegistry(clustered.client) }),
        );
        await eventually("a request is recorded", async () => {
            pods[0]?.record(KEY);
            await pods[0]?.flush();
            return pods[0]?.counts.firsts === 1;
        });
        pass(HOUR);
        await eventually("the other pod knows it", async () => {
            pods[1]?.record(KEY);
            await pods[1]?.flush();
            return pods[1]?.counts.reuseSeconds.includes(HOUR) === true;
        });
        await createRedisGhostRegistry(clustered.client).tidy(now / 1000);
    } finally {
        await clustered.close();
        await cluster.stop();
    }
});

test("requests of one second are one command, and all of them count", async () => {
    const pod = createPod();
    for (let count = 0; count < 5; count += 1) pod.record(KEY);
    await pod.flush();
    expect(pod.counts).toMatchObject({ firsts: 1, reuseSeconds: [0, 0, 0, 0] });
});

describe("the registry", () => {
    const ids = Array.from({ length: 40 * MAX_KEYS }, (_, at) =>
        hash("sha256", `key ${at}`, "base64url"),
    )
        .filter(isSampled)
        .map(idOf);
    const seconds = BEGIN / 1000;

    async function fill(from: number, to: number, requestedAt = seconds): Promise<void> {
        for (let at = from; at < to; at += 128) {
            const events = ids
                .slice(at, Math.min(to, at + 128))
                .map((id) => ({ id, requestedAt, storedAt: 0, freshUntil: 0 }));
            // A busy machine may need longer than the service waits.
            await retryWithBackoff(() => registry.record(events));
        }
    }

    /** Another attempt begins when the lease of the failed one has ended. */
    async function shrink(now: number): Promise<void> {
        await retryWithBackoff(async () => {
            redis.command("UNLINK", "embedding:{ghosts}:shrink");
            await registry.tidy(now);
        });
    }

    /** Fields about the registry itself. */
    const META_FIELDS = 4;
    const size = () => Number(redis.command("HLEN", "embedding:{ghosts}"));

    test("forgets what was not requested for thirty days, before it halves the sample", async () => {
        await retryWithBackoff(() => registry.establish(seconds, true));
        await fill(0, MAX_KEYS / 2);
        await fill(MAX_KEYS / 2, MAX_KEYS + 100, seconds + MEMORY_SECONDS);
        expect(registry.isFull()).toBe(true);
        await shrink(seconds + MEMORY_SECONDS + 1);
        expect(size()).toBe(MAX_KEYS / 2 + 100 + META_FIELDS);
        expect(registry.isFull()).toBe(false);
        const recorded = await registry.record([]);
        expect(recorded?.state.level).toBe(0);
    });

    test("halves the sample if it is full, and pods follow", async () => {
        await retryWithBackoff(() => registry.establish(seconds, true));
        await fill(0, MAX_KEYS + 100);
        await shrink(seconds);
        const recorded = await registry.record([]);
        expect(recorded?.state.level).toBe(1);
        const kept = ids.slice(0, MAX_KEYS + 100).filter((id) => isIdInLevel(id, 1)).length;
        expect(size()).toBe(kept + META_FIELDS);
        const pod = createPod();
        pod.record(KEY);
        await pod.flush();
        expect(pod.state().ratio).toBe(1 / (2 * KEYS_PER_SAMPLE));
    });

    test("is shrunk by a pod that finds it full, while all of them record", async () => {
        await retryWithBackoff(() => registry.establish(seconds, true));
        await fill(0, MAX_KEYS + 100);
        const pods = [createPod(), createPod()];
        await eventually("a pod has shrunk it", async () => {
            for (const pod of pods) {
                pod.record(KEY);
                await pod.flush();
            }
            return size() < MAX_KEYS;
        });
    });

    test("is halved while misses are explained: the keys that are left count for the others", async () => {
        await retryWithBackoff(() => registry.establish(seconds, true));
        const pod = createPod();
        await pod.start();
        redis.command("HSET", "embedding:{ghosts}", ":level", "1");
        for (const key of KEYS) pod.record(key);
        const explained = pod.explain(KEYS.map(item), createContext());
        for (const [, count] of explained ?? []) count();
        const left = KEYS.filter((key) => isIdInLevel(idOf(key), 1)).length;
        expect(left).toBeLessThan(KEYS.length);
        await eventually("all are counted", () => pod.counts.reasons.length >= 2 * left);
        await pod.flush();
        expect(pod.counts.reasons).toHaveLength(2 * left);
    });

    test("doubles the sample again when a flood is forgotten, and its history then begins again", async () => {
        await retryWithBackoff(() => registry.establish(seconds, true));
        await fill(0, 200);
        redis.command("HSET", "embedding:{ghosts}", ":level", "3");
        await shrink(seconds + MEMORY_SECONDS - 1);
        expect((await retryWithBackoff(() => registry.record([])))?.state.level).toBe(3);
        const pod = createPod();
        await pod.start();
        pass(MEMORY_SECONDS + 2 * HOUR);
        const state = async () => (await retryWithBackoff(() => registry.record([])))?.state;
        await eventually("a pod has tidied it", async () => {
            for (const key of KEYS) pod.record(key);
            await pod.flush();
            pass(HOUR);
            return (await state())?.level === 0;
        });
        expect(await state()).toMatchObject({ level: 0, isComplete: false });
        expect((await state())?.since).toBeGreaterThan(seconds + MEMORY_SECONDS);
        // The lease has been released, although nothing had to be halved.
        expect(redis.command("EXISTS", "embedding:{ghosts}:shrink")).toContain("0");
    });

    test("takes no more keys than twice its limit, nor more than 6 MB", async () => {
        await retryWithBackoff(() => registry.establish(seconds, true));
        await fill(0, 2 * MAX_KEYS + 500);
        expect(size()).toBe(2 * MAX_KEYS + META_FIELDS);
        const bytes = redis.command("MEMORY", "USAGE", "embedding:{ghosts}", "SAMPLES", "0");
        expect(Number(bytes)).toBeLessThan(6e6);
        const [refused] = (
            await registry.record([
                { id: ids.at(-1) ?? "", requestedAt: seconds, storedAt: 0, freshUntil: 0 },
            ])
        )?.histories ?? [null];
        expect(refused).toBeUndefined();
    });
});
