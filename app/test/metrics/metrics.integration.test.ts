import { spawnSync } from "node:child_process";

import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import {
    CACHE_RESULTS,
    FEEDBACK_SOURCES,
    FEEDBACK_VERDICTS,
    GHOST_GROUPS,
    GHOST_TTLS_SECONDS,
    METRICS,
    MISS_REASONS,
    OTHER_TENANTS,
    OVERHEAD_KINDS,
    PATHS,
    PURPOSES,
    REDIS_OPERATIONS,
    RESPONSE_TIME_BUCKETS,
    SAVING_RESULTS,
    QUARANTINE_REASONS,
} from "@property-search/contract";
import fc from "fast-check";
import { countTokens } from "gpt-tokenizer/encoding/cl100k_base";

import { createTenantLabels } from "../../src/metrics/tenantLabels.ts";
import { UPSTREAM_OUTCOMES } from "../../src/upstream/upstream.ts";
import { eventually } from "../support/eventually.ts";
import { freePort } from "../support/redisServer.ts";
import { MODEL, startService, stubEnvironment, type Service } from "../support/service.ts";
import { setUpRedis, setUpUpstream } from "../support/setUp.ts";
import { reply, startStubUpstream } from "../support/stubUpstream.ts";
import { propertyRuns } from "../../../tests/support/property.ts";

const redis = setUpRedis();
const upstream = setUpUpstream();

/** Sum over the series of a metric whose labels contain all of these. */
function sum(text: string, name: string, labels: Readonly<Record<string, string>> = {}): number {
    const expectedLabels = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
    return text
        .split("\n")
        .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
        .filter((line) => expectedLabels.every((one) => line.includes(one)))
        .reduce((total, line) => total + Number(line.slice(line.lastIndexOf(" "))), 0);
}

const scrape = async (service: Service): Promise<string> => (await service.get(PATHS.metrics)).text;

describe("the exposition", () => {
    let service: Service;
    let fresh: string;

    beforeAll(async () => {
        const fallback = `http://127.0.0.1:${await freePort()}/v1`;
        service = await startService({
            ...stubEnvironment(upstream.url, redis.url),
            UPSTREAM_FALLBACK_URLS: fallback,
            POD_COST_PER_HOUR_DOLLARS: "0.05",
            STORAGE_COST_PER_HOUR_DOLLARS: "0.2",
        });
        fresh = await scrape(service);
    });

    afterAll(() => service.stop());

    test("passes promtool's check, at the start and after traffic", async () => {
        await service.post(PATHS.embed, { texts: ["one", "two", "one"] });
        for (const input of [fresh, await scrape(service)]) {
            const check = spawnSync("promtool", ["check", "metrics"], { input, encoding: "utf8" });
            const own = check.stderr
                .split("\n")
                .filter((line) => line.startsWith("embedding_") || line.includes("error"));
            expect({ failed: check.status === 1, own }).toEqual({ failed: false, own: [] });
        }
    });

    test("has every label combination at 0 initially", () => {
        const expected = (name: string, sets: readonly Record<string, string>[]) =>
            sets.map((labels) => {
                const shown = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
                return `${name}{${shown.join(",")}} 0`;
            });
        const tenant = "anonymous";
        const endpoint = upstream.url.host;
        const lines = [
            ...expected(
                METRICS.lookups,
                CACHE_RESULTS.map((result) => ({ result })),
            ),
            ...[METRICS.costSaved, METRICS.tokensSaved].flatMap((name) =>
                expected(
                    name,
                    SAVING_RESULTS.map((result) => ({ tenant, model: MODEL, result })),
                ),
            ),
            ...[METRICS.costBilled, METRICS.tokensBilled].flatMap((name) =>
                expected(
                    name,
                    // The primary is probed at the start, to compare fallbacks with it.
                    PURPOSES.filter((purpose) => purpose !== "probe").map((purpose) => ({
                        tenant,
                        model: MODEL,
                        purpose,
                    })),
                ),
            ),
            ...Array.from({ length: GHOST_GROUPS }, (_, at) => {
                const group = String(at);
                return [
                    ...expected(
                        METRICS.misses,
                        MISS_REASONS.map((reason) => ({ reason, group })),
                    ),
                    ...expected(
                        METRICS.ghostFetches,
                        GHOST_TTLS_SECONDS.map((ttl) => ({ ttl_seconds: String(ttl), group })),
                    ),
                    ...[METRICS.ghostReuseTime, METRICS.ghostReuseDistance].flatMap((name) =>
                        expected(`${name}_count`, [{ group }]),
                    ),
                ];
            }).flat(),
            ...expected(
                METRICS.feedback,
                FEEDBACK_VERDICTS.flatMap((verdict) =>
                    FEEDBACK_SOURCES.map((source) => ({ tenant, verdict, source })),
                ),
            ),
            ...expected(
                METRICS.redisErrors,
                REDIS_OPERATIONS.map((operation) => ({ operation })),
            ),
            ...expected(
                METRICS.quarantineSkipped,
                QUARANTINE_REASONS.map((reason) => ({ reason })),
            ),
            ...expected(
                `${METRICS.redisOperationTime}_count`,
                REDIS_OPERATIONS.map((operation) => ({ operation })),
            ),
            ...expected(
                METRICS.upstreamAttempts,
                UPSTREAM_OUTCOMES.map((outcome) => ({ endpoint, outcome })),
            ),
            ...[PATHS.embed, PATHS.embeddings].flatMap((route) =>
                CACHE_RESULTS.flatMap((result) =>
                    RESPONSE_TIME_BUCKETS.flatMap((edge) =>
                        expected(`${METRICS.responseTime}_bucket`, [
                            { le: String(edge), route, result },
                        ]),
                    ),
                ),
            ),
        ];
        const present = new Set(fresh.split("\n"));
        expect(lines.filter((line) => !present.has(line))).toEqual([]);
    });

    test("reports the hourly cost of the cache", () => {
        expect(OVERHEAD_KINDS.map((kind) => sum(fresh, METRICS.overheadRate, { kind }))).toEqual([
            0.05, 0.2,
        ]);
    });

    test("has a bucket for every threshold of the requirements", () => {
        for (const edge of [0.0001, 0.001, 0.01, 0.015, 0.05, 0.1, 0.5, 1, 2, 5]) {
            expect(RESPONSE_TIME_BUCKETS).toContain(edge);
        }
    });

    test("counts upstream failures, by endpoint and outcome", async () => {
        const before = await scrape(service);
        upstream.misbehave((_, response) => reply(response, 500, "broken"));
        expect((await service.post(PATHS.embed, { text: "tried twice" })).status).toBe(200);
        const after = await scrape(service);
        const endpoint = upstream.url.host;
        const grown = (outcome: string) =>
            sum(after, METRICS.upstreamAttempts, { endpoint, outcome }) -
            sum(before, METRICS.upstreamAttempts, { endpoint, outcome });
        expect([grown("upstream_error"), grown("ok")]).toEqual([1, 1]);
        expect(sum(after, METRICS.upstreamCalls) - sum(before, METRICS.upstreamCalls)).toBe(1);
    });

    test("counts successful and failed Redis operations", async () => {
        await service.post(PATHS.embed, { text: "written to Redis" });
        await eventually("the write is counted", async () => {
            const text = await scrape(service);
            return sum(text, `${METRICS.redisOperationTime}_count`, { operation: "write" }) > 0;
        });
        const before = await scrape(service);
        redis.command("config", "set", "maxmemory", "1");
        await service.post(PATHS.embed, { text: "not to be written" });
        await eventually("the refused write is counted", async () => {
            const text = await scrape(service);
            const dropped = (one: string) => sum(one, METRICS.redisDropped, { reason: "error" });
            return dropped(text) === dropped(before) + 1;
        });
        redis.command("config", "set", "maxmemory", "0");
    });
});

describe("the ledger", () => {
    test("agrees with the upstream's to the token, over any traffic of two pods", async () => {
        const openai = await startStubUpstream({ dimensions: 1_536, tokensOf: countTokens });
        const pods = await Promise.all(
            [0, 1].map(() =>
                startService({
                    ...stubEnvironment(openai.url, redis.url),
                    EMBEDDING_MODEL: "text-embedding-3-small",
                    EMBEDDING_TOKEN_PRICES: "2024-01-25=20",
                    MAX_LOCAL_CACHE_SIZE: "8",
                }),
            ),
        );
        redis.command("flushall");
        const podAt = (at: number): Service => {
            const pod = pods[at];
            if (!pod) throw new Error(`There is no pod ${at}`);
            return pod;
        };
        let requestCount = 0;
        const words = fc.constantFrom("flat", "with a lift", "near the park and the school");
        const texts = fc.array(
            fc.tuple(words, fc.nat(40)).map(([text, at]) => `${text} ${at}`),
            { minLength: 1, maxLength: 12 },
        );
        const batch = fc.tuple(fc.nat(1), texts);
        await fc.assert(
            fc.asyncProperty(fc.array(batch, { minLength: 1, maxLength: 6 }), async (batches) => {
                const answers = await Promise.all(
                    batches.map(([at, list]) => podAt(at).post(PATHS.embed, { texts: list })),
                );
                expect(answers.map((answer) => answer.status)).toEqual(batches.map(() => 200));
                requestCount += batches
                    .flatMap(([, list]) => list.map((text) => countTokens(text)))
                    .reduce(add, 0);
            }),
            propertyRuns(150),
        );
        const expositions = await Promise.all(pods.map(scrape));
        const total = (name: string) => expositions.map((text) => sum(text, name)).reduce(add, 0);
        const billed = openai.billedTokens;
        expect(billed).toBeGreaterThan(0);
        expect(total(METRICS.tokensBilled)).toBe(billed);
        expect(total(METRICS.tokensSaved)).toBe(requestCount - billed);
        expect(total(METRICS.costBilled)).toBeCloseTo(billed * 2e-5, 9);
        expect(total(METRICS.costSaved)).toBeCloseTo((requestCount - billed) * 2e-5, 9);
        await Promise.all([...pods.map((pod) => pod.stop()), openai.stop()]);
    });

    test("keeps a flood of tenants in one series", () => {
        const labels = createTenantLabels((tenant) => tenant);
        const seen = new Set(Array.from({ length: 2_000 }, (_, at) => labels.get(`tenant-${at}`)));
        expect(seen.size).toBe(501);
        expect(labels.get("tenant-1999")).toBe(OTHER_TENANTS);
        expect(labels.get("tenant-0")).toBe("tenant-0");
    });
});

const add = (one: number, other: number): number => one + other;
