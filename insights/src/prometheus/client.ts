import { UserError } from "@property-search/contract";
import { setTimeout as delay } from "node:timers/promises";

export type Labels = Readonly<Record<string, string>>;

/** Unix time in seconds, and the value. */
export type Sample = readonly [seconds: number, value: number];

export interface Series {
    readonly labels: Labels;
    readonly samples: readonly Sample[];
}

/** Time window in Unix seconds. */
export interface Window {
    readonly from: number;
    readonly to: number;
}

/** Prometheus cannot be reached, or does not accept a query. */
export class PrometheusError extends UserError {
    override readonly name = "PrometheusError";
    /** Whether Prometheus answered, and rejected this query only. */
    readonly hasAnswered: boolean;

    constructor(message: string, hasAnswered: boolean) {
        super(message);
        this.hasAnswered = hasAnswered;
    }
}

/** Queries of Prometheus' HTTP API. All reject with a PrometheusError. */
export interface Prometheus {
    /** Value of each series at a time: its latest sample of the five minutes before. */
    readonly query: (expr: string, seconds: number) => Promise<readonly Series[]>;
    /** Values at each step from the first time to the last. */
    readonly queryRange: (
        expr: string,
        window: Window,
        stepSeconds: number,
    ) => Promise<readonly Series[]>;
    /** All stored samples of a selector in the window, at the times of their scrapes. */
    readonly readSamples: (selector: string, window: Window) => Promise<readonly Series[]>;
}

export interface PrometheusOptions {
    /** Base URL, with the path prefix if it has one. */
    readonly url: string;
    /** Bearer token. Default: none */
    readonly token?: string | undefined;
    /** Timeout of one attempt. Default: 60 s */
    readonly timeoutMilliseconds?: number;
    /** Delays before the second and later attempts. Default: 1, 2 and 4 s */
    readonly retryMilliseconds?: readonly number[];
}

interface Answer {
    readonly status?: string;
    readonly error?: string;
    readonly data?: { readonly result: readonly RawSeries[] };
}

interface RawSeries {
    readonly metric: Labels;
    readonly value?: readonly [number, string];
    readonly values?: readonly (readonly [number, string])[];
}

export function createPrometheus({
    url,
    token,
    timeoutMilliseconds = 60_000,
    retryMilliseconds = [1_000, 2_000, 4_000],
}: PrometheusOptions): Prometheus {
    const base = url.replace(/\/+$/, "");
    // The URL may contain a password.
    const { host } = new URL(url);
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };

    async function get(path: string): Promise<Answer> {
        let response: Response;
        let body: unknown;
        try {
            response = await fetch(`${base}${path}`, {
                headers,
                redirect: "error",
                signal: AbortSignal.timeout(timeoutMilliseconds),
            });
            body = await response.json();
        } catch (error) {
            throw new PrometheusError(`Prometheus at ${host}: ${reasonOf(error)}`, false);
        }
        const answer = body as Answer;
        if (response.ok && answer.status === "success" && answer.data) return answer;
        const reason = answer.error ?? `status ${response.status}`;
        // A rejected query has 400 or 422; other statuses come from a proxy, or mean that it is overloaded.
        throw new PrometheusError(
            `Prometheus at ${host}: ${reason}`,
            [400, 422].includes(response.status),
        );
    }

    async function ask(path: string, parameters: Record<string, string>): Promise<Series[]> {
        const search = new URLSearchParams(parameters).toString();
        for (let attempt = 0; ; attempt += 1) {
            try {
                const { data } = await get(`/api/v1/${path}?${search}`);
                return (data?.result ?? []).map(parseSeries);
            } catch (error) {
                const wait = retryMilliseconds[attempt];
                const isFinal = error instanceof PrometheusError && error.hasAnswered;
                if (wait === undefined || isFinal) throw error;
                await delay(wait);
            }
        }
    }

    return {
        query: (query, seconds) => ask("query", { query, time: seconds.toFixed(3) }),
        queryRange: (query, { from, to }, step) =>
            ask("query_range", {
                query,
                start: from.toFixed(3),
                end: to.toFixed(3),
                step: String(step),
            }),
        readSamples: (selector, { from, to }) =>
            ask("query", {
                query: `${selector}[${Math.ceil((to - from) * 1000)}ms]`,
                time: to.toFixed(3),
            }),
    };
}

function parseSeries({ metric, value, values }: RawSeries): Series {
    const samples = values ?? (value ? [value] : []);
    return { labels: metric, samples: samples.map(([time, text]) => [time, Number(text)]) };
}

/** Without the URL, which may contain a password. */
function reasonOf(error: unknown): string {
    if (!(error instanceof Error)) return "the request failed";
    if (error.name === "TimeoutError") return "no answer in time";
    if (error instanceof SyntaxError) return "the answer is not JSON";
    const { cause } = error;
    const code = (cause as { readonly code?: unknown } | undefined)?.code;
    return typeof code === "string" ? `no connection (${code})` : "no connection";
}

/** A selector with exact matchers. */
export function select(labels: Labels, name = ""): string {
    const matchers = Object.entries(labels).map(([key, value]) => `${key}=${quote(value)}`);
    return `${name}{${matchers.join(",")}}`;
}

/** A string of PromQL, which has the escapes of JSON that occur here. */
export const quote = (text: string): string => JSON.stringify(text);
