import type { Counter, MetricValueWithName, Registry } from "prom-client";

export type Labels = Readonly<Record<string, string | number>>;

/** One series of a counter. A plain number, because a request updates a dozen of them. */
export interface CounterSeries {
    value: number;
}

export interface CounterFamily {
    /** The series with these labels, initialised at 0. */
    readonly series: (labels?: Labels) => CounterSeries;
}

export type Sample = readonly [labels: Labels, value: number];

/** One series of a histogram. */
export interface HistogramSeries {
    /** @param count times that it was observed; default: 1 */
    readonly observe: (value: number, count?: number) => void;
}

export interface HistogramFamily {
    /** The series with these labels, initialised at 0. */
    readonly series: (labels: Labels) => HistogramSeries;
}

export interface Families {
    readonly counter: (name: string, help: string) => CounterFamily;
    readonly histogram: (name: string, help: string, buckets: readonly number[]) => HistogramFamily;
    /** A gauge that is read when Prometheus scrapes. */
    readonly gauge: (name: string, help: string, read: () => readonly Sample[]) => void;
}

interface HistogramCounts extends HistogramSeries {
    /** Observations per bucket; the last bucket is +Inf. */
    readonly counts: Float64Array;
    readonly sum: () => number;
}

type Value = Omit<MetricValueWithName<string>, "metricName"> & { readonly metricName?: string };

/** Families in plain numbers, collected when Prometheus scrapes. */
export function createFamilies(registry: Registry): Families {
    function register(
        type: keyof Families,
        name: string,
        help: string,
        collect: () => readonly Value[],
    ): void {
        const get = () =>
            Promise.resolve({ name, help, type, aggregator: "sum", values: collect() });
        registry.registerMetric({ name, get, reset: () => undefined } as unknown as Counter);
    }

    return {
        counter: (name, help) => {
            const series = createSeries(() => ({ value: 0 }));
            register("counter", name, help, () =>
                series.all().map(([labels, { value }]) => ({ labels, value })),
            );
            return { series: (labels = {}) => series.get(labels) };
        },
        histogram: (name, help, buckets) => {
            const series = createSeries(() => createHistogramSeries(buckets));
            register("histogram", name, help, () =>
                series
                    .all()
                    .flatMap(([labels, counts]) => formatHistogram(name, labels, counts, buckets)),
            );
            return { series: series.get };
        },
        gauge: (name, help, read) =>
            register("gauge", name, help, () =>
                read().map(([labels, value]) => ({ labels, value })),
            ),
    };
}

function createHistogramSeries(buckets: readonly number[]): HistogramCounts {
    // The sum is stored next to the counts: a number captured by a closure would be allocated on each update.
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

/** Series by their labels; a new one is made on first use. */
function createSeries<T>(make: () => T) {
    const series = new Map<string, readonly [Labels, T]>();
    return {
        get: (labels: Labels): T => {
            const key = JSON.stringify(Object.entries(labels).sort());
            const known = series.get(key);
            if (known) return known[1];
            const member = make();
            series.set(key, [labels, member]);
            return member;
        },
        all: () => [...series.values()],
    };
}

/** A value for each key. */
export function mapKeys<K extends string, T>(
    keys: readonly K[],
    make: (key: K) => T,
): Readonly<Record<K, T>> {
    return Object.fromEntries(keys.map((key) => [key, make(key)])) as Record<K, T>;
}
