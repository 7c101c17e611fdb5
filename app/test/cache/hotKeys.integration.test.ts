import { afterEach, describe, expect, test } from "@jest/globals";
import { HEADERS, PATHS } from "@property-search/contract";

import type { Environment } from "../../src/settingsReader.ts";
import { createSketch } from "../../src/hotKeys/sketch.ts";
import { adminOf, ADMIN_TOKEN } from "../support/admin.ts";
import { killPods, startPod, type Pod } from "../support/pod.ts";
import { freePort } from "../support/redisServer.ts";
import { startService, stubEnvironment } from "../support/service.ts";
import { setUpRedis, setUpUpstream } from "../support/setUp.ts";

const redis = setUpRedis();
const upstream = setUpUpstream();

afterEach(killPods);

const startOne = (environment: Environment = {}): Promise<Pod> =>
    startPod({ ...stubEnvironment(upstream.url, redis.url), ...environment });

const cacheOf = async (pod: Pod, text: string): Promise<string | null> =>
    (await pod.ask(text)).headers.get(HEADERS.cache);

describe("Hot keys", () => {
    test("of a pod that ended are in the memory of the next one before it is ready", async () => {
        const first = await startOne();
        for (let n = 0; n < 100; n += 1) await cacheOf(first, "a hot text");
        // Requests are sampled: one of these may count as hot.
        const cold = ["a cold text", "another cold text", "a third cold text"];
        for (const text of cold) expect(await cacheOf(first, text)).toBe("MISS");
        await first.end();
        const second = await startOne();
        expect(await cacheOf(second, "a hot text")).toBe("HIT-L1");
        const sources = [];
        for (const text of cold) sources.push(await cacheOf(second, text));
        expect(sources).toContain("HIT-L2");
        await second.end();
    });

    test("of two pods add up, hottest first, and memory contains the hottest", async () => {
        redis.command("FLUSHALL");
        const pods = [await startOne(), await startOne()];
        for (const pod of pods) {
            for (let n = 0; n < 64; n += 1) await cacheOf(pod, "warm text");
            for (let n = 0; n < 320; n += 1) await cacheOf(pod, "hottest text");
        }
        for (const pod of pods) await pod.end();
        const small = await startOne({ MAX_LOCAL_CACHE_SIZE: "1" });
        expect(await cacheOf(small, "hottest text")).toBe("HIT-L1");
        expect(await cacheOf(small, "warm text")).toBe("HIT-L2");
        await small.end();
    });

    test("without Redis delay a start by at most two seconds", async () => {
        const away = `redis://127.0.0.1:${await freePort()}`;
        const pod = await startOne({ REDIS_URL: away });
        expect(await cacheOf(pod, "any text")).toBe("MISS");
        await pod.end();
    });

    test("are listed on the admin port with tenant and estimated requests", async () => {
        const service = await startService({ ...stubEnvironment(upstream.url), ADMIN_TOKEN });
        const texts = Array.from({ length: 500 }, (_, n) => (n % 5 === 0 ? "second" : "first"));
        for (let n = 0; n < 10; n += 1) await service.post(PATHS.embed, { texts });
        const admin = adminOf(service);
        const { json } = await admin("GET", "/hot-keys?limit=2");
        const [first, second] = json as { key: string; tenant: string; requests: number }[];
        expect(first).toMatchObject({
            tenant: "anonymous",
            key: expect.stringMatching(/^[\w-]{43}$/),
        });
        expect(first?.requests).toBeGreaterThan(second?.requests ?? NaN);
        expect((await admin("GET", "/hot-keys?limit=0")).status).toBe(400);
        await service.stop();
    });
});

describe("The sketch", () => {
    test("keeps every key above 1/capacity of the stream, in bounded memory", () => {
        const capacity = 50;
        const sketch = createSketch(capacity);
        const hot = Array.from({ length: 10 }, (_, n) => `hot ${n}`);
        for (let n = 0; n < 100_000; n += 1) {
            sketch.add(n % 2 === 0 ? (hot[(n / 2) % 10] ?? "") : `once ${n}`, "tenant");
        }
        const top = sketch.top(10);
        expect(top.map(({ key }) => key).sort()).toEqual(hot);
        for (const { weight } of top) {
            expect(weight).toBeLessThanOrEqual(5_000);
            expect(weight).toBeGreaterThan(5_000 - 100_000 / capacity);
        }
        expect(sketch.top(1_000_000).length).toBeLessThanOrEqual(2 * capacity);
    });
});
