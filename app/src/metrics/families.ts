import {
    Counter,
    Gauge,
    type MetricObjectWithValues,
    type MetricValueWithName,
    type Registry,
} from "prom-client";

export type Labels = Readonly<Record<string, string | number>>;

/** One series of a counter. A plain number, because a request updates a dozen of them. */
export interface CounterSeries {
    value: number;
}

export interface FamilyOptions {
    readonly name: string;
    readonly help: string;
    readonly labelNames?: readonly string[];
}

export interface CounterFamily {
    /** The series with these labels, initialised at 0. */
    readonly series: (labels?: Labels) => CounterSeries;
}

/** A counter in plain numbers, collected when Prometheus scrapes. */
export function createCounterFamily(registry: Registry, options: FamilyOptions): CounterFamily {
    const series = new Map<string, { readonly labels: Labels; readonly member: CounterSeries }>();
    new Counter({
        name: options.name,
        help: options.help,
        labelNames: [...(options.labelNames ?? [])],
        registers: [registry],
        collect() {
            this.reset();
            for (const { labels, member } of series.values()) this.inc(labels, member.value);
        },
    });
    return { series: (labels = {}) => getOrCreate(series, labels, () => ({ value: 0 })) };
}

export type Sample = readonly [labels: Labels, value: number];

/** A gauge that is read when Prometheus scrapes. */
export function registerGauge(
    registry: Registry,
    options: FamilyOptions,
    read: () => readonly Sample[],
): void {
    new Gauge({
        ...options,
        labelNames: [...(options.labelNames ?? [])],
        registers: [registry],
        collect() {
            for (const [labels, value] of read()) this.set(labels, value);
        },
    });
}

/** One series of a histogram. */
export interface HistogramSeries {
    readonly observe: (value: number) => void;
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

/** A histogram in plain numbers, collected when Prometheus scrapes. */
export function createHistogramFamily(
    registry: Registry,
    options: FamilyOptions & { readonly buckets: readonly number[] },
): HistogramFamily {
    const { name, help, buckets } = options;
    const series = new Map<string, { readonly labels: Labels; readonly member: HistogramCounts }>();
    const values = (): MetricValueWithName<string>[] =>
        [...series.values()].flatMap(({ labels, member }) =>
            formatHistogram(name, labels, member, buckets),
        );
    registry.registerMetric({
        name,
        get: () =>
            Promise.resolve({
                name,
                help,
                type: "histogram",
                aggregator: "sum",
                values: values(),
            } as unknown as MetricObjectWithValues<MetricValueWithName<string>>),
        reset: () => undefined,
    } as unknown as Counter);
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
        observe: (value) => {
            let at = 0;
            while (at < buckets.length && value > (buckets[at] ?? Infinity)) at += 1;
            values[at] = (values[at] ?? 0) + 1;
            values[sum] = (values[sum] ?? 0) + value;
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
