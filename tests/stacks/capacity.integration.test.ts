import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { CACHE_KEY_PREFIX } from "@property-search/contract";
import { readFileSync } from "node:fs";
import path from "node:path";
import { startRedis, type RedisServer } from "../../app/test/support/redisServer.ts";
import { createEmbedding } from "../../app/src/vector/embedding.ts";
import { createEntryCodec } from "../../app/src/vector/entry.ts";
import {
    BYTES_PER_NUMBER,
    DEFAULT_WORKLOAD,
    planCapacity,
    redisBytesOf,
    REDIS_HITS_PER_CPU,
    type Workload,
} from "../../config/capacity.ts";

const plan = (workload: Partial<Workload> = {}) =>
    planCapacity({ ...DEFAULT_WORKLOAD, ...workload });
const PRECISIONS = Object.keys(BYTES_PER_NUMBER) as (keyof typeof BYTES_PER_NUMBER)[];

describe("an entry", () => {
    test.each(PRECISIONS)("as %s has the bytes that the service stores", (precision) => {
        const { dimensions } = plan({ precision });
        const codec = createEntryCodec({ precision, buildId: "00".repeat(8) });
        const vector = Float32Array.from({ length: dimensions }, (_, at) => Math.sin(at));
        const embedding = createEmbedding(vector, 3, false);
        const { entry } = codec.encode("a-key", embedding, "00".repeat(8));
        expect(plan({ precision }).bytesPerEntry).toBe(entry.length);
    });
});

describe("Redis", () => {
    const KEYS = 20_000;
    let redis: RedisServer;
    beforeAll(async () => {
        redis = await startRedis();
    });
    afterAll(() => redis.kill());
    const usedBytes = () =>
        Number(/used_memory:(\d+)/.exec(redis.command("INFO", "memory"))?.[1] ?? NaN);

    test.each(PRECISIONS)(
        "takes no more memory for an entry as %s than is planned",
        (precision) => {
            redis.command("FLUSHALL");
            const before = usedBytes();
            const { bytesPerEntry } = plan({ precision });
            // The form of a key: a prefix and a SHA-256 in base64url.
            redis.command(
                "EVAL",
                `local value = string.rep("x", ARGV[1])
             for at = 1, ARGV[2] do
                 local key = ARGV[3] .. string.rep("k", 35) .. string.format("%08d", at)
                 redis.call("SET", key, value, "PX", 604800000 + at)
             end`,
                "0",
                ...[String(bytesPerEntry), String(KEYS), CACHE_KEY_PREFIX],
            );
            const measured = (usedBytes() - before) / KEYS;
            expect(measured).toBeLessThanOrEqual(redisBytesOf(bytesPerEntry));
            expect(measured).toBeGreaterThan(redisBytesOf(bytesPerEntry) * 0.9);
        },
    );
});

describe("the arithmetic", () => {
    test("of money is that of the requirements: $500 a month", () => {
        const flat = plan({ requestsPerSecond: 500_000 / (30 * 24 * 3_600), hitRate: 1 });
        expect(flat.byRequest.saved).toBeCloseTo(500, 6);
        // 25 G tokens at $0.02 per million.
        const rate = 25e9 / 50 / (30 * 24 * 3_600);
        const byToken = plan({ requestsPerSecond: rate, hitRate: 1, tokensPerText: 50 });
        expect(byToken.byToken.saved).toBeCloseTo(500, 6);
        expect(rate).toBeCloseTo(192.9, 1);
    });

    test("adds pods for misses of the local model, and leaves those of an API to it", () => {
        expect(plan({ hitRate: 0, requestsPerSecond: 200, peak: 3 })).toMatchObject({
            podsForMisses: 6,
            pods: 6,
        });
        expect(plan({ model: "text-embedding-3-small" }).podsForMisses).toBeUndefined();
    });

    test("takes the least pods and the CPU request of the stack, also for the idle colour", () => {
        const prod = plan({ minReplicas: 3, requestsPerSecond: 0 });
        expect(prod.pods).toBe(3);
        expect(prod.byToken.overhead).toBeCloseTo((3 + 3) * 72 + 72);
        const missing = { hitRate: 0, requestsPerSecond: 200, peak: 3 };
        expect(plan({ ...missing, cpuRequest: "2" }).podsForMisses).toBe(3);
    });

    test("divides Redis among primaries, and leaves it a quarter for itself", () => {
        const { redisBytes } = plan();
        expect(plan().redisMemoryLimitBytes).toBeCloseTo(redisBytes / 0.75);
        expect(plan({ redisPrimaries: 3 }).redisMemoryLimitBytes).toBeCloseTo(redisBytes / 2.25);
    });

    test("uses the rate that docs/service/performance.md has measured", () => {
        const page = path.resolve(import.meta.dirname, "../../docs/service/performance.md");
        expect(readFileSync(page, "utf8")).toContain(REDIS_HITS_PER_CPU.toLocaleString("en"));
    });
});
