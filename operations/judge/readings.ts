import { InconclusiveError } from "./observation.ts";

type Labels = Readonly<Record<string, string>>;

export interface Reading {
    readonly labels: Labels;
    readonly value: number;
}

/** Values of a Prometheus response by the label `figure`. */
export interface Readings {
    /** Values of a figure with all of these labels. */
    readonly select: (figure: string, labels?: Labels) => readonly Reading[];
    /** The first of them; undefined if there is none. */
    readonly value: (figure: string, labels?: Labels) => number | undefined;
}

/** @throws InconclusiveError if Prometheus rejected the query, or the response is invalid */
export function parseReadings(answer: unknown): Readings {
    if (!isObject(answer)) throw new InconclusiveError("Prometheus' response is not an object");
    if (answer.status !== "success") {
        throw new InconclusiveError(`Prometheus rejected the query: ${String(answer.error)}`);
    }
    const { data } = answer;
    if (!isObject(data) || data.resultType !== "vector" || !Array.isArray(data.result)) {
        throw new InconclusiveError("Prometheus' response is not a vector");
    }
    const found = data.result.map(parseReading);
    const all: Readings["select"] = (figure, labels = {}) =>
        found.filter(
            (one) =>
                one.labels.figure === figure &&
                Object.entries(labels).every(([name, value]) => one.labels[name] === value),
        );
    return { select: all, value: (figure, labels) => all(figure, labels)[0]?.value };
}

function parseReading(series: unknown): Reading {
    if (!isObject(series) || !isObject(series.metric) || !Array.isArray(series.value)) {
        throw new InconclusiveError("Prometheus' response has a series without labels or value");
    }
    const value: unknown = series.value[1];
    if (typeof value !== "string")
        throw new InconclusiveError("Prometheus' response has a value that is not a string");
    const labels = Object.entries(series.metric).map(([name, label]) => [name, String(label)]);
    return { labels: Object.fromEntries(labels) as Labels, value: Number(value) };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
    return typeof value === "object" && value !== null && !Array.isArray(value);
}
