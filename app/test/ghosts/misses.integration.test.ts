import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { METRICS, MISS_REASONS, PATHS, type MissReason } from "@property-search/contract";

import type { Environment } from "../../src/settingsReader.ts";
import { KEYS_PER_SAMPLE } from "../../src/ghosts/sample.ts";
import { adminOf, ADMIN_TOKEN } from "../support/admin.ts";
import { eventually } from "../support/eventually.ts";
import { entriesIn, startRedis } from "../support/redisServer.ts";
import { startService, stubEnvironment, type Service } from "../support/service.ts";
import { setUpRedis, setUpUpstream } from "../support/setUp.ts";
import { allAre } from "../support/stage.ts";
import { REFUSED } from "../support/stubUpstream.ts";

/** So many that some dozen of them are in the sample. */
const TEXTS = Array.from({ length: 400 }, (_, at) => `listing ${at}`);

let pods: Service[] = [];

const redis = setUpRedis();
const upstream = setUpUpstream();

beforeEach(() => void redis.command("FLUSHALL"));

afterEach(async () => {
    await Promise.all(pods.map((pod) => pod.stop()));
    pods = [];
});

/** A pod without memory of its own, so that its hits are those of Redis. */
async function start(environment: Environment = {}): Promise<Service> {
    const pod = await startService({
        ...stubEnvironment(upstream.url, redis.url),
        MAX_LOCAL_CACHE_SIZE: "1",
        ADMIN_TOKEN,
        ...environment,
    });
    pods.push(pod);
    return pod;
}

/** Stops a pod, which tells Redis all that it knows. */
async function stop(pod: Service): Promise<void> {
    pods = pods.filter((one) => one !== pod);
    await pod.stop();
}

async function ask(pod: Service): Promise<void> {
    const { status } = await pod.post(PATHS.embed, { texts: TEXTS });
    expect(status).toBe(200);
}

async function sumOf(pod: Service, name: string, labels = ""): Promise<number> {
    const { text } = await pod.get(PATHS.metrics);
    return text
        .split("\n")
        .filter((line) => line.startsWith(`${name}{`) && line.includes(labels))
        .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" ") + 1)), 0);
}

async function reasonsOf(pod: Service): Promise<Partial<Record<MissReason, number>>> {
    const counts = await Promise.all(
        MISS_REASONS.map(
            async (reason) =>
                [reason, await sumOf(pod, METRICS.misses, `reason="${reason}"`)] as const,
        ),
    );
    return Object.fromEntries(counts.filter(([, count]) => count > 0));
}

/** Asks for all texts, of which all miss, and waits until the reasons are known. */
async function miss(pod: Service): Promise<Partial<Record<MissReason, number>>> {
    const before = await reasonsOf(pod);
    await ask(pod);
    await eventually("the misses are explained", async () => {
        const all = Object.values(await reasonsOf(pod));
        return (
            all.reduce((sum, count) => sum + count, 0) > 0 && !isEqual(await reasonsOf(pod), before)
        );
    });
    // All of a batch are explained by one command, but counted one after the other.
    let last = await reasonsOf(pod);
    await eventually("no reason is added", async () => {
        const now = await reasonsOf(pod);
        const isSame = isEqual(now, last);
        last = now;
        return isSame;
    });
    return last;
}

const isEqual = (one: object, other: object): boolean =>
    JSON.stringify(one) === JSON.stringify(other);

describe("reasons of misses, in the metrics of two colours", () => {
    test("are cold for new texts, an estimate of all misses", async () => {
        const reasons = await miss(await start());
        expect(Object.keys(reasons)).toEqual(["cold"]);
        // Six standard deviations of the sample's size.
        expect(Math.abs((reasons.cold ?? 0) - TEXTS.length)).toBeLessThan(
            6 * Math.sqrt(TEXTS.length * KEYS_PER_SAMPLE),
        );
    });

    test("are evicted in the other colour, after Redis has removed the entries", async () => {
        const blue = await start();
        const { cold } = await miss(blue);
        await eventually("all are stored", () => entriesIn(redis).length === TEXTS.length);
        await stop(blue);
        const entries = entriesIn(redis);
        expect(entries).toHaveLength(TEXTS.length);
        redis.command("UNLINK", ...entries);
        expect(await miss(await start({ COLOUR: "green" }))).toEqual({ evicted: cold });
    });

    test("are not evicted if reads time out, and the fetch overwrites the entries", async () => {
        const pod = await start();
        const { cold } = await miss(pod);
        await eventually("all are stored", () => entriesIn(redis).length === TEXTS.length);
        // Longer than a read waits.
        redis.command("CLIENT", "PAUSE", "400", "ALL");
        const { evicted = 0, ...others } = await miss(pod);
        expect(evicted).toBe(0);
        expect(others.cold).toBe(cold);
    });

    test("are invalidated after an epoch has been incremented", async () => {
        const blue = await start();
        const { cold } = await miss(blue);
        const admin = adminOf(blue);
        expect((await admin("POST", "/epochs", { tenant: "anonymous" })).status).toBeLessThan(300);
        const { invalidated = 0, ...others } = await miss(blue);
        // Other texts are sampled under the new keys.
        expect(invalidated).toBeGreaterThan(0);
        expect(others).toEqual({ cold });
    });

    test("of a failed request are not counted, as its lookups are none, and those of the next one are", async () => {
        const pod = await start();
        for (let attempt = 0; attempt < 4; attempt += 1) {
            const texts = TEXTS.map((text) => `${text} of ${attempt}`).with(200, REFUSED);
            expect((await pod.post(PATHS.embed, { texts })).status).toBe(400);
        }
        expect(await sumOf(pod, METRICS.lookups, 'result="error"')).toBe(4 * TEXTS.length);
        // The reasons of the new texts are counted after those of the failed request would have been.
        const { status } = await pod.post(PATHS.embed, {
            texts: TEXTS.map((text) => `new ${text}`),
        });
        expect(status).toBe(200);
        let before = {};
        await eventually("no reason is added", async () => {
            const now = await reasonsOf(pod);
            const isSame = isEqual(now, before) && Object.keys(now).length > 0;
            before = now;
            return isSame;
        });
        const counted = Object.values(await reasonsOf(pod)).reduce((sum, count) => sum + count, 0);
        const misses = await sumOf(pod, METRICS.lookups, 'result="miss"');
        expect(misses).toBe(TEXTS.length);
        expect(Math.abs(counted - misses)).toBeLessThan(6 * Math.sqrt(misses * KEYS_PER_SAMPLE));
    });

    test("are unknown while Redis is down, and never another reason", async () => {
        const down = await startRedis();
        const pod = await start({ REDIS_URL: down.url.href });
        await down.kill();
        await allAre([pod], "down");
        expect(Object.keys(await miss(pod))).toEqual(["unknown"]);
    });

    test("are unknown without Redis", async () => {
        expect(Object.keys(await miss(await start({ REDIS_URL: "" })))).toEqual(["unknown"]);
    });
});

test("hits have reuse times and distances, and no reason", async () => {
    const pod = await start({ MAX_LOCAL_CACHE_SIZE: "1000" });
    const { cold } = await miss(pod);
    await ask(pod);
    await eventually("the hits are recorded", async () =>
        sumOf(pod, `${METRICS.ghostReuseTime}_count`).then((count) => count === cold),
    );
    expect(await reasonsOf(pod)).toEqual({ cold });
    expect(await sumOf(pod, METRICS.ghostFirstRequests)).toBe(cold);
    const labels = 'ttl_seconds="604800"';
    expect(await sumOf(pod, METRICS.ghostFetches, labels)).toBe(cold);
    expect(await sumOf(pod, `${METRICS.ghostReuseDistance}_count`)).toBe(2 * (cold ?? NaN));
    // All 400 texts again, in the same order.
    const within = (bound: number) =>
        sumOf(pod, `${METRICS.ghostReuseDistance}_bucket`, `le="${bound}"`);
    expect(await within(1_000)).toBe(cold);
    expect(await sumOf(pod, `${METRICS.ghostReuseDistance}_sum`)).toBeGreaterThan(0);
});
