import type { Counter, MetricValueWithName, Registry } from "prom-client";

export type Labels = Readonly<Record<string, string | number>>;

/** One series of a counter. A plain number, because a request updates a dozen of them. */
export interface CounterSeries {
    value: number;
}

export interface FamilyOptions {
    readonly name: string;
    readonly help: string;
}

type Value = Omit<MetricValueWithName<string>, "metricName"> & { readonly metricName?: string };

/** Registers a family in plain numbers, collected when Prometheus scrapes. */
function register(
    registry: Registry,
    { name, help }: FamilyOptions,
    type: "counter" | "gauge" | "histogram",
    collect: () => readonly Value[],
): void {
    const get = () => Promise.resolve({ name, help, type, aggregator: "sum", values: collect() });
    registry.registerMetric({ name, get, reset: () => undefined } as unknown as Counter);
}

export interface CounterFamily {
    /** The series with these labels, initialised at 0. */
    readonly series: (labels?: Labels) => CounterSeries;
}

export function createCounterFamily(registry: Registry, options: FamilyOptions): CounterFamily {
    const series = new Map<string, { readonly labels: Labels; readonly member: CounterSeries }>();
    register(registry, options, "counter", () =>
        Array.from(series.values(), ({ labels, member: { value } }) => ({ labels, value })),
    );
    return { series: (labels = {}) => getOrCreate(series, labels, () => ({ value: 0 })) };
}

export type Sample = readonly [labels: Labels, value: number];

/** A gauge that is read when Prometheus scrapes. */
export function registerGauge(
    registry: Registry,
    options: FamilyOptions,
    read: () => readonly Sample[],
): void {
    register(registry, options, "gauge", () =>
        read().map(([labels, value]) => ({ labels, value })),
    );
}

/** One series of a histogram. */
export interface HistogramSeries {
    /** @param count times that it was observed; default: 1 */
    readonly observe: (value: number, count?: number) => void;
}

export interface HistogramFamily {
    /** The series with these labels, initialised at 0. */
    readonly series: (labels: Labels) => HistogramSeries;
}

interface HistogramCounts extends HistogramSeries {
    /** Observations per bucket; the last bucket is +Inf. */
    readonly counts: Float64Array;
    readonly sum: () => number;
}

export function createHistogramFamily(
    registry: Registry,
    options: FamilyOptions & { readonly buckets: readonly number[] },
): HistogramFamily {
    const { name, buckets } = options;
    const series = new Map<string, { readonly labels: Labels; readonly member: HistogramCounts }>();
    register(registry, options, "histogram", () =>
        [...series.values()].flatMap(({ labels, member }) =>
            formatHistogram(name, labels, member, buckets),
        ),
    );
    return {
        series: (labels) => getOrCreate(series, labels, () => createHistogramSeries(buckets)),
    };
}

function createHistogramSeries(buckets: readonly number[]): HistogramCounts {
    // The sum is stored beside the counts: a number captured by a closure would be allocated on each update.
    const sum = buckets.length + 1;
    const values = new Float64Array(sum + 1);
    return {
        counts: values.subarray(0, sum),
        sum: () => values[sum] ?? NaN,
        observe: (value, count = 1) => {
            let at = 0;
            while (at < buckets.length && value > (buckets[at] ?? Infinity)) at += 1;
            values[at] = (values[at] ?? 0) + count;
            values[sum] = (values[sum] ?? 0) + value * count;
        },
    };
}

/** Buckets in Prometheus are cumulative. */
function formatHistogram(
    name: string,
    labels: Labels,
    { counts, sum }: HistogramCounts,
    buckets: readonly number[],
): MetricValueWithName<string>[] {
    let cumulative = 0;
    const samples = [...counts].map((count, at) => {
        cumulative += count;
        const le = buckets[at] ?? "+Inf";
        return { metricName: `${name}_bucket`, labels: { le, ...labels }, value: cumulative };
    });
    return [
        ...samples,
        { metricName: `${name}_sum`, labels: { ...labels }, value: sum() },
        { metricName: `${name}_count`, labels: { ...labels }, value: cumulative },
    ];
}

function getOrCreate<T>(
    series: Map<string, { readonly labels: Labels; readonly member: T }>,
    labels: Labels,
    make: () => T,
): T {
    const key = JSON.stringify(Object.entries(labels).sort());
    const known = series.get(key);
    if (known) return known.member;
    const member = make();
    series.set(key, { labels, member });
    return member;
}

/** A value for each key. */
export function mapKeys<K extends string, T>(
    keys: readonly K[],
    make: (key: K) => T,
): Readonly<Record<K, T>> {
    return Object.fromEntries(keys.map((key) => [key, make(key)])) as Record<K, T>;
}
