import { afterEach, beforeEach, expect, test } from "@jest/globals";
import { METRICS } from "@property-search/contract";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { startPrometheus } from "../../../operations/test/support/prometheus.ts";
import { setUp } from "../../../tests/support/setUp.ts";
import { mergeBins, type Bin } from "../../src/impact/bin.ts";
import { openHourStore, type HourStore } from "../../src/impact/hourStore.ts";
import { createRecorder, type LiveReading } from "../../src/impact/recorder.ts";
import { createPrometheus } from "../../src/prometheus/client.ts";
import { createCases, END, HOUR, old, type Case } from "../support/cases.ts";
import { countEvents } from "../support/simulation.ts";

const cases = createCases(23, "2026-10-01T00:00:00Z");
const steady = cases.add([
    old("a"),
    { pod: "b", startedAt: -HOUR, endsAt: 1.4 * HOUR },
    { pod: "c", startedAt: 2.1 * HOUR, endsAt: END },
]);
const { from, to } = steady.window;

let folder: string;
let store: HourStore;

const prometheus = setUp(
    () => startPrometheus(cases.parts()),
    (one) => one.stop(),
);

beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "recorder-"));
    store = await openHourStore(folder, () => undefined);
});
afterEach(() => rm(folder, { recursive: true }));

/** All bins that a viewer gets, as the sums to date have them. */
const allBins = (live: LiveReading): readonly Bin[] => [
    ...store.days().flatMap(({ bin }) => bin ?? []),
    ...live.bins,
];

function expectCounts(one: Case, bins: readonly Bin[], end: number): void {
    const whole = mergeBins(bins);
    const first = Math.min(...one.events.map(({ seconds }) => seconds));
    const count = (labels: Readonly<Record<string, string>>) =>
        countEvents(one.events, { from: first - 1, to: end }, METRICS.lookups, labels);
    const results = ["hit_l1", "miss", "stale"];
    expect(Object.fromEntries(results.map((it) => [it, whole?.figures[`lookups ${it}`]]))).toEqual(
        Object.fromEntries(results.map((result) => [result, count({ result })])),
    );
}

test("at each time, the stored hours and the live reading have all counts, and none twice", async () => {
    let now = from + 0.5 * HOUR;
    const recorder = createRecorder(
        createPrometheus({ url: prometheus.url, retryMilliseconds: [] }),
        store,
        () => now,
    );
    while (await recorder.recordNext());
    let stored = 0;
    for (; now < to; now += 370) {
        // A viewer may come before, between and after the background's readings.
        expectCounts(steady, allBins(await recorder.live()), Math.floor((now - 2) / 15) * 15);
        const goesOn = await recorder.recordNext();
        expectCounts(steady, allBins(await recorder.live()), Math.floor((now - 2) / 15) * 15);
        if (goesOn) while (await recorder.recordNext());
        expectCounts(steady, allBins(await recorder.live()), Math.floor((now - 2) / 15) * 15);
        stored = store.hours(0, Infinity).length;
    }
    expect(stored).toBeGreaterThanOrEqual(6);
    // Each event is in it once.
    const live = await recorder.live();
    const events = [...store.days().flatMap((day) => day.events), ...live.events];
    expect(events.filter(({ text }) => text.startsWith("Added: c"))).toHaveLength(1);
    expect(events.filter(({ text }) => text.startsWith("Removed: b"))).toHaveLength(1);
});

test("viewers wait for ten to thirty minutes of Prometheus only, after a start, too", async () => {
    const windows: number[] = [];
    const real = createPrometheus({ url: prometheus.url, retryMilliseconds: [] });
    const recorder = createRecorder(
        {
            ...real,
            queryRange: (expr, window, step) => {
                windows.push(window.to - window.from);
                return real.queryRange(expr, window, step);
            },
        },
        store,
        () => from + 2.9 * HOUR,
    );
    const cold = await recorder.live();
    expect([cold.to - cold.from <= 1_800, recorder.isBehind()]).toEqual([true, true]);
    expect(Math.max(...windows.filter((seconds) => seconds < 86_400))).toBeLessThanOrEqual(1_800);
    while (await recorder.recordNext());
    const warm = await recorder.live();
    expect([warm.from, recorder.isBehind()]).toEqual([from + 2 * HOUR, false]);
});
