import {
    Counter,
    Gauge,
    type MetricObjectWithValues,
    type MetricValueWithName,
    type Registry,
} from "prom-client";

export type Labels = Readonly<Record<string, string | number>>;

/** One series of a counter. A plain number, because a request updates a dozen of them. */
export interface Cell {
    value: number;
}

export interface FamilyOptions {
    readonly name: string;
    readonly help: string;
    readonly labelNames?: readonly string[];
}

export interface CounterFamily {
    /** The series with these labels, initialised at 0. */
    readonly cell: (labels?: Labels) => Cell;
}

/** A counter in plain numbers, collected when Prometheus scrapes. */
export function counterFamily(registry: Registry, options: FamilyOptions): CounterFamily {
    const series = new Map<string, { readonly labels: Labels; readonly cell: Cell }>();
    new Counter({
        name: options.name,
        help: options.help,
        labelNames: [...(options.labelNames ?? [])],
        registers: [registry],
        collect() {
            this.reset();
            for (const { labels, cell } of series.values()) this.inc(labels, cell.value);
        },
    });
    return { cell: (labels = {}) => memberOf(series, labels, () => ({ value: 0 })) };
}

export type Sample = readonly [labels: Labels, value: number];

/** A gauge that is read when Prometheus scrapes. */
export function gauge(
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
export interface Buckets {
    readonly observe: (value: number) => void;
}

export interface HistogramFamily {
    /** The series with these labels, initialised at 0. */
    readonly buckets: (labels: Labels) => Buckets;
}

interface Counts extends Buckets {
    /** Observations per bucket; the last bucket is +Inf. */
    readonly counts: Float64Array;
    readonly sum: () => number;
}

/** A histogram in plain numbers, collected when Prometheus scrapes. */
export function histogramFamily(
    registry: Registry,
    options: FamilyOptions & { readonly edges: readonly number[] },
): HistogramFamily {
    const { name, help, edges } = options;
    const series = new Map<string, { readonly labels: Labels; readonly cell: Counts }>();
    const values = (): MetricValueWithName<string>[] =>
        [...series.values()].flatMap(({ labels, cell }) => exposed(name, labels, cell, edges));
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
    return { buckets: (labels) => memberOf(series, labels, () => countsFor(edges)) };
}

function countsFor(edges: readonly number[]): Counts {
    // The sum is stored beside the counts: a number captured by a closure would be allocated on each update.
    const sum = edges.length + 1;
    const cells = new Float64Array(sum + 1);
    return {
        counts: cells.subarray(0, sum),
        sum: () => cells[sum] ?? NaN,
        observe: (value) => {
            let at = 0;
            while (at < edges.length && value > (edges[at] ?? Infinity)) at += 1;
            cells[at] = (cells[at] ?? 0) + 1;
            cells[sum] = (cells[sum] ?? 0) + value;
        },
    };
}

/** Buckets in Prometheus are cumulative. */
function exposed(
    name: string,
    labels: Labels,
    { counts, sum }: Counts,
    edges: readonly number[],
): MetricValueWithName<string>[] {
    let below = 0;
    const buckets = [...counts].map((count, at) => {
        below += count;
        const le = edges[at] ?? "+Inf";
        return { metricName: `${name}_bucket`, labels: { le, ...labels }, value: below };
    });
    return [
        ...buckets,
        { metricName: `${name}_sum`, labels: { ...labels }, value: sum() },
        { metricName: `${name}_count`, labels: { ...labels }, value: below },
    ];
}

function memberOf<T>(
    series: Map<string, { readonly labels: Labels; readonly cell: T }>,
    labels: Labels,
    make: () => T,
): T {
    const key = JSON.stringify(Object.entries(labels).sort());
    const known = series.get(key);
    if (known) return known.cell;
    const cell = make();
    series.set(key, { labels, cell });
    return cell;
}
