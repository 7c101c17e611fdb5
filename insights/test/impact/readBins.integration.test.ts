import { describe, expect, test } from "@jest/globals";
import { CACHE_RESULTS, METRICS } from "@property-search/contract";
import { startPrometheus } from "../../../operations/test/support/prometheus.ts";
import { setUp } from "../../../tests/support/setUp.ts";
import { downsample, mergeBins, type Bin } from "../../src/impact/bin.ts";
import { readBins, type Reading } from "../../src/impact/readBins.ts";
import { createPrometheus, type Window } from "../../src/prometheus/client.ts";
import { CASE_SECONDS, createCases, END, HOUR, old, type Case } from "../support/cases.ts";
import { BOUNDS, countEvents, STEP_SECONDS, type CountedEvent } from "../support/simulation.ts";

const SETTLE_SECONDS = 600;

const cases = createCases(22, "2026-10-01T00:00:00Z");
const { add: addCase } = cases;

const PRICES = { overhead: { pod: 0.5, storage: 2 } };

const quiet = addCase([
    { ...old("a"), ...PRICES },
    // Restarts within an hour; its target stays the same.
    { pod: "b", startedAt: -HOUR, endsAt: 1.4 * HOUR, ...PRICES },
    { pod: "b", startedAt: 1.4 * HOUR + 20, endsAt: END, ...PRICES },
    // Restarts twice between two ends of an hour.
    { pod: "d", startedAt: -HOUR, endsAt: 3.2 * HOUR },
    { pod: "d", startedAt: 3.25 * HOUR, endsAt: 3.6 * HOUR },
    { pod: "d", startedAt: 3.65 * HOUR, endsAt: END },
    { pod: "c", startedAt: 2.1 * HOUR, endsAt: 4.5 * HOUR },
    { pod: "g", colour: "green", version: "v2.0.0", startedAt: 3.5 * HOUR, endsAt: END },
]);
const unscraped = addCase([old("a"), old("b")], {
    answers: (pod, time) => pod !== "b" || time < 1.5 * HOUR || time > 2.25 * HOUR,
});
const outage = addCase([old("a"), { ...old("b"), endsAt: 2.5 * HOUR }], {
    isUp: (time) => time < 2 * HOUR || time > 3 * HOUR,
});
const early = addCase([old("a")], { isUp: (time) => time > 2.5 * HOUR });
const empty = addCase([]);
const randomCases = Array.from({ length: 6 }, () =>
    cases.addRandom((random) =>
        ["a", "b"].flatMap((pod) => {
            const ends = Math.floor(random() * END);
            const again = ends + Math.floor(random() * HOUR);
            const first = { pod, startedAt: -HOUR, endsAt: ends };
            return again < END ? [first, { pod, startedAt: again, endsAt: END }] : [old(pod)];
        }),
    ),
);

const prometheus = setUp(
    () => startPrometheus(cases.parts()),
    (one) => one.stop(),
    180_000,
);

const read = (window: Window, stepSeconds: number): Promise<Reading> =>
    readBins(createPrometheus({ url: prometheus.url, retryMilliseconds: [] }), {
        window,
        stepSeconds,
        settleSeconds: SETTLE_SECONDS,
    });

/** As the server does: each hour on its own. */
async function readHours({ window }: Case, stepSeconds: number): Promise<readonly Reading[]> {
    const readings: Reading[] = [];
    for (let from = window.from; from < window.to; from += HOUR)
        readings.push(await read({ from, to: from + HOUR }, stepSeconds));
    return readings;
}

/** Figures of a bin, and the same from the events that the simulation counted. */
function compare({ from, to, figures }: Bin, events: readonly CountedEvent[]) {
    const count = (name: string, labels = {}) => countEvents(events, { from, to }, name, labels);
    const purposes = (purpose: string) => count(METRICS.costBilled, { purpose });
    const successful = (name: string, labels = {}) =>
        ["hit_l1", "miss"].reduce((all, result) => all + count(name, { ...labels, result }), 0);
    const served = (version: string, pods: readonly string[]) => [
        `served ${version}`,
        countEvents(
            events.filter(({ pod }) => pods.includes(pod)),
            { from, to },
            METRICS.requests,
        ),
    ];
    const expected: Record<string, number> = {
        ...Object.fromEntries(
            CACHE_RESULTS.map((result) => [
                `lookups ${result}`,
                count(METRICS.lookups, { result }),
            ]),
        ),
        saved: count(METRICS.costSaved),
        billedForRequests: purposes("request"),
        billedForCache: purposes("refresh"),
        requests: count(METRICS.requests),
        serverErrors: count(METRICS.requests, { code: "503" }),
        responses: successful(`${METRICS.responseTime}_count`),
        responseSeconds: successful(`${METRICS.responseTime}_sum`),
        ...Object.fromEntries(
            [...BOUNDS.map(String), "+Inf"].map((le) => [
                `answers ${le}`,
                successful(`${METRICS.responseTime}_bucket`, { le }),
            ]),
        ),
        ...Object.fromEntries([
            served("blue v1.0.0", ["a", "b", "c", "d"]),
            served("green v2.0.0", ["g"]),
        ] as [string, number][]),
    };
    const measured = Object.fromEntries(
        Object.keys(expected).map((name) => [name, figures[name] ?? 0]),
    );
    return { measured, expected };
}

describe("a time without gaps, over restarts, scaling and a release", () => {
    test.each([600, 1800, HOUR])(
        "has exactly the counts of the events, in steps of %d s",
        async (step) => {
            const readings = await readHours(quiet, step);
            const bins = readings.flatMap((one) => one.bins);
            expect(bins).toHaveLength(CASE_SECONDS / step);
            for (const bin of bins) {
                const { measured, expected } = compare(bin, quiet.events);
                expect(measured).toEqual(expected);
                expect(bin).toMatchObject({ isPartial: false, figures: { seconds: step } });
            }
            expect(readings.flatMap(({ gaps }) => gaps)).toEqual([]);
        },
    );

    test("the same counts come of one reading as of an hour after the other", async () => {
        const { bins } = await read(quiet.window, 600);
        const hourly = (await readHours(quiet, 600)).flatMap((one) => one.bins);
        expect(downsample(bins, HOUR)).toEqual(downsample(hourly, HOUR));
    });

    test("a step that the window cuts off is read up to its end", async () => {
        const to = quiet.window.from + 2.3 * HOUR;
        const { bins } = await read({ from: quiet.window.from, to }, 1800);
        expect(bins.at(-1)).toMatchObject({ to });
        for (const bin of bins) {
            const { measured, expected } = compare(bin, quiet.events);
            expect(measured).toEqual(expected);
        }
    });

    test("events are the pods that came, went and restarted", async () => {
        const readings = await readHours(quiet, HOUR);
        const events = readings.flatMap((one) => one.events);
        const hoursOf = (text: string) =>
            events
                .filter((one) => one.text === text)
                .map(({ at }) => Number(((at - quiet.window.from) / HOUR).toFixed(1)));
        expect(hoursOf("Added: c (blue v1.0.0)")).toEqual([2.1]);
        expect(hoursOf("Removed: c (blue v1.0.0)")).toEqual([4.5]);
        expect(hoursOf("Added: g (green v2.0.0)")).toEqual([3.5]);
        expect(hoursOf("Restarted: b (blue v1.0.0)")).toEqual([1.4]);
        expect(hoursOf("Restarted: d (blue v1.0.0)")).toEqual([3.3, 3.7]);
        expect(events).toHaveLength(6);
    });

    test("the cost of pods and storage is that of the time in which they ran", async () => {
        const whole = mergeBins((await readHours(quiet, HOUR)).flatMap((one) => one.bins));
        const { pods = NaN, storage = NaN, net = NaN } = whole?.figures ?? {};
        // Two pods with prices. Around its restart, one counts for a scrape's interval more or less.
        expect(Math.abs(pods - 0.5 * 12)).toBeLessThan((0.5 * 2 * STEP_SECONDS) / HOUR);
        expect(storage).toBeCloseTo(2 * 6, 1);
        const { saved = NaN, billedForCache = NaN } = whole?.figures ?? {};
        expect(net).toBeCloseTo(saved - billedForCache - pods - storage, 9);
    });
});

test("a pod that is not scraped for a time has no counts in it, and all of them around it", async () => {
    const { bins } = await read(unscraped.window, 600);
    const merged = bins.filter(({ from, to }) => to - from > 600);
    expect(
        merged.map(({ from, to }) => [from, to].map((at) => (at - unscraped.window.from) / HOUR)),
    ).toEqual([[1.5, expect.closeTo(2.33, 2)]]);
    for (const bin of bins) {
        const { measured, expected } = compare(bin, unscraped.events);
        expect(measured).toEqual(expected);
    }
    expect(bins.some(({ isPartial }) => isPartial)).toBe(false);
});

test("an outage of Prometheus is a gap, and its counts are partial", async () => {
    const { bins, gaps } = await read(outage.window, 600);
    expect(gaps.filter(({ pod }) => pod === undefined)).toHaveLength(1);
    const within = bins.filter(
        ({ from, to }) =>
            from < outage.window.from + 3 * HOUR && to > outage.window.from + 2.1 * HOUR,
    );
    expect(within).toMatchObject([{ isPartial: true }]);
    // A pod lived through it: the counts of the outage are known, without their times.
    const [one] = within;
    expect(one?.figures.seconds).toBe((one?.to ?? NaN) - (one?.from ?? NaN));
    for (const bin of bins.filter(({ isPartial }) => !isPartial)) {
        const { measured, expected } = compare(bin, outage.events);
        expect(measured).toEqual(expected);
    }
});

test("an outage over an hour's end is not measured, neither its time nor its counts", async () => {
    const readings = await readHours(outage, HOUR);
    expect(readings.map(({ bins }) => bins.length)).toEqual([1, 1, 0, 1, 1, 1]);
    const [after] = readings[3]?.bins ?? [];
    const first = Math.min(
        ...outage.events
            .map(({ seconds }) => seconds)
            .filter((time) => time > outage.window.from + 3 * HOUR),
    );
    const { measured, expected } = compare(
        {
            figures: {},
            peaks: {},
            isPartial: true,
            ...after,
            from: first,
            to: outage.window.from + 4 * HOUR,
        },
        outage.events,
    );
    expect(measured).toEqual(expected);
});

test("before Prometheus' first sample nothing is measured, and nothing is 0", async () => {
    const readings = await readHours(early, HOUR);
    expect(readings.map(({ bins }) => bins.length)).toEqual([0, 0, 1, 1, 1, 1]);
    const [first] = readings[2]?.bins ?? [];
    expect(first).toMatchObject({ isPartial: true });
    expect(first?.figures.seconds).toBeLessThan(0.5 * HOUR + 1);
    expect((await read(empty.window, 600)).bins).toEqual([]);
});

test.each(randomCases.map((one, at) => [at, one] as const))(
    "random outages and restarts, case %d: at no time more than the truth",
    async (_, one) => {
        const bins = (await readHours(one, 600)).flatMap((reading) => reading.bins);
        expect(bins.length).toBeGreaterThan(0);
        for (let count = 1; count <= bins.length; count += 7) {
            const sum = mergeBins(bins.slice(0, count));
            if (!sum) continue;
            const { measured, expected } = compare({ ...sum, from: one.window.from }, one.events);
            for (const [name, value] of Object.entries(measured))
                expect(value).toBeLessThanOrEqual((expected[name] ?? NaN) + 1e-9);
        }
    },
);
