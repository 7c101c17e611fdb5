import { expect, test } from "@jest/globals";
import { simulateCache } from "../support/cacheSimulation.ts";
import { createTrace, DAY_SECONDS } from "../support/trace.ts";
import {
    createOptions,
    cumulate,
    findFailures,
    MAX_DIP,
    REVERSED,
    simulateMonth,
    TOO_LONG,
    TOO_SHORT,
} from "../support/tuningMonth.ts";

/** The full size, for 20 seeds: month.exhaustive.test.ts. */
const REQUESTS_PER_DAY = 4_000;

test.each([
    ["too short a lifetime", TOO_SHORT],
    ["a price change that reverses the direction", REVERSED],
])(
    "with %s, a month earns what the best fixed lifetime does, and never less than the default",
    (_, scenario) => {
        expect(findFailures(simulateMonth(1, REQUESTS_PER_DAY, scenario))).toEqual([]);
    },
);

test("with too long a lifetime, a month earns what the best one does, after a loss of 0.5 % at most", () => {
    expect(findFailures(simulateMonth(1, REQUESTS_PER_DAY, TOO_LONG), MAX_DIP)).toEqual([]);
});

test("no shorter lifetime saves before it costs, however small the step and early the day", () => {
    const options = createOptions(1, REQUESTS_PER_DAY, TOO_LONG);
    const configured = cumulate(simulateCache(options, () => TOO_LONG.configuredTtl));
    for (const days of [6.9, 6.5, 6, 5, 3.5])
        for (const begin of [0, 10]) {
            const shorter = days * DAY_SECONDS;
            const net = cumulate(
                simulateCache(options, (day) => (day < begin ? TOO_LONG.configuredTtl : shorter)),
            );
            const first = net.findIndex((one, day) => one !== configured[day]);
            expect(net[first]).toBeLessThan(configured[first] ?? NaN);
        }
});

test("the simulated cache pays for what it fetches and keeps, to the second", () => {
    const trace = {
        // The second request is a hit; the third one comes when a stale entry still exists.
        times: Float64Array.of(100, 1_000, 200_000, 3 * DAY_SECONDS - 1),
        texts: Int32Array.of(0, 0, 0, 1),
        textCount: 2,
    };
    const [ttl, staleSeconds] = [DAY_SECONDS, 2 * DAY_SECONDS];
    const options = { trace, warmUpDays: 0, staleSeconds };
    const fetches = simulateCache(
        { ...options, pricesOf: () => ({ perFetch: 1, perEntrySecond: 0 }) },
        () => ttl,
    );
    // Of two requests on the first day, one was a hit.
    expect(fetches).toEqual([1, 0, 0]);
    const kept = simulateCache(
        { ...options, pricesOf: () => ({ perFetch: 0, perEntrySecond: 1 }) },
        () => ttl,
    );
    expect(kept.map((net) => -net)).toEqual([DAY_SECONDS - 100, DAY_SECONDS, DAY_SECONDS + 1]);
});

test("a trace has days and nights, weekends, a flash crowd, and texts that come and go", () => {
    const { times, texts } = createTrace({
        seed: 1,
        days: 28,
        requestsPerDay: 2_000,
        flashCrowdDay: 9,
    });
    const count = (isIn: (day: number, hour: number) => boolean) =>
        times.filter((time) => isIn(Math.floor(time / DAY_SECONDS), (time / 3_600) % 24)).length;
    const isWeekend = (day: number) => day % 7 >= 5;
    expect(count((_, hour) => hour >= 9 && hour < 15)).toBeGreaterThan(
        2 * count((_, hour) => hour < 3 || hour >= 21),
    );
    expect(count((day) => day === 12) / count((day) => day === 11)).toBeLessThan(0.7);
    expect(isWeekend(12)).toBe(true);
    expect(count((day, hour) => day === 9 && hour >= 12 && hour < 18)).toBeGreaterThan(
        2 * count((day, hour) => day === 8 && hour >= 12 && hour < 18),
    );
    const half = times.findIndex((time) => time > 14 * DAY_SECONDS);
    const [early, late] = [new Set(texts.subarray(0, half)), new Set(texts.subarray(half))];
    const stayed = [...late].filter((text) => early.has(text)).length / late.size;
    expect(stayed).toBeGreaterThan(0.1);
    expect(stayed).toBeLessThan(0.7);
});
