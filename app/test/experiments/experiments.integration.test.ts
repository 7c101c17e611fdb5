import { expect, test } from "@jest/globals";
import { armOf, METRICS, parseExperiments, PATHS } from "@property-search/contract";

import { startService, stubEnvironment } from "../support/service.ts";
import { setUpRedis, setUpUpstream } from "../support/setUp.ts";

const EXPERIMENTS = '[{"name": "cache_ttl_optimization", "percent": 50}]';
const TEXTS = Array.from({ length: 60 }, (_, at) => `text ${at}`);
const DAY_SECONDS = 86_400;

const upstream = setUpUpstream();
const redis = setUpRedis();

test("each text gets the lifetime of its arm, and its requests are counted in its block", async () => {
    const [{ percent } = { percent: NaN }] = parseExperiments(EXPERIMENTS);
    const pod = await startService({
        ...stubEnvironment(upstream.url, redis.url),
        CACHE_TTL: String(30 * DAY_SECONDS),
        STALE_IF_ERROR_SECONDS: "0",
        EXPERIMENTS,
    });
    try {
        for (const text of [...TEXTS, ...TEXTS]) await pod.post(PATHS.embed, { text });
        const series = (await pod.get(PATHS.metrics)).text.matchAll(
            new RegExp(`^${METRICS.experimentLookups}\\{(.*)\\} ([1-9]\\d*)$`, "gm"),
        );
        const counts = [...series].map(([, labels = "", count]) => {
            const [, arm, block, result] =
                /arm="(\w+)",block="(\d+)",result="(\w+)"/.exec(labels) ?? [];
            return { arm, block: Number(block), result, count: Number(count) };
        });
        const sum = (of: (one: (typeof counts)[number]) => boolean) =>
            counts.filter(of).reduce((all, { count }) => all + count, 0);
        const days = redis
            .command("--scan", "--pattern", "embedding:*")
            .split("\n")
            .filter((key) => key !== "")
            .map((key) => Number(redis.command("TTL", key)) / DAY_SECONDS);
        const treated = sum(({ arm, result }) => arm === "treatment" && result === "miss");

        expect(sum(({ result }) => result === "miss")).toBe(TEXTS.length);
        expect(sum(({ result }) => result === "hit")).toBe(TEXTS.length);
        expect(counts.every(({ arm, block }) => arm === armOf({ percent }, block))).toBe(true);
        expect(treated).toBeGreaterThan(0);
        expect(treated).toBeLessThan(TEXTS.length);
        // A lifetime is shortened by at most a tenth.
        expect(days.filter((one) => one > 12 && one <= 14)).toHaveLength(treated);
        expect(days.filter((one) => one > 6 && one <= 7)).toHaveLength(TEXTS.length - treated);
    } finally {
        await pod.stop();
    }
});
