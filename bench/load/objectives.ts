import { median } from "../service/report/statistics.ts";
import type { Measurement, RouteSummary, Summary } from "./generator.ts";

/** A goal of a scenario, as a row of its table. */
export type Objective =
    /** Share (0–1) of requests without a whole 2xx answer, of a route or of all; unsent ones count. */
    | { readonly measure: "errorShare"; readonly route?: string; readonly max: number }
    /** Milliseconds from due to answered. `cached`: only of answers that were hits. */
    | {
          readonly measure: "p50" | "p95" | "p99";
          readonly route: string;
          readonly cached?: true;
          readonly max: number;
      }
    /** Share (0–1) of hits. `x-cache`: of the answers with this header; `prometheus`: of the service's lookups. */
    | { readonly measure: "hitRate"; readonly from: "x-cache" | "prometheus"; readonly min: number }
    /** Most users with a connection at the same time, as the generator counted them. */
    | { readonly measure: "users"; readonly min: number }
    /** p99 of all routes in the last third of the run, by that of the first third. */
    | { readonly measure: "drift"; readonly max: number }
    /** Highest rate in requests per second at which the other goals of `stress` held. */
    | { readonly measure: "knee"; readonly min: number };

export type Verdict = "met" | "not met" | "not measured" | "inconclusive";

export interface Judged {
    readonly goal: string;
    readonly measured: string;
    readonly verdict: Verdict;
}

/** What the objectives are judged by. */
export interface Run extends Measurement {
    /** Requests of the trace. */
    readonly scheduled: number;
    /** Lookups by result from Prometheus; undefined: not measured. */
    readonly lookups?: Readonly<Record<string, number>> | undefined;
    /** Why there are no lookups. */
    readonly lookupsMissing?: string | undefined;
    /** Undefined: the scenario has no steps. */
    readonly knee?: number | undefined;
}

/** The generator's own delay, p99, above which its figures say more of itself than of the platform: a fifth of 50 ms. */
export const MAX_LAG_MILLISECONDS = 10;

/** Reason why the generator, not the platform, may be what was measured; undefined: there is none. */
export function generatorFault({ summary }: Pick<Run, "summary">): string | undefined {
    const { lag } = summary;
    if (lag.p99 <= MAX_LAG_MILLISECONDS) return undefined;
    return `the generator itself was late: p99 ${format(lag.p99)} ms after the time at which a request was due, limit ${MAX_LAG_MILLISECONDS} ms`;
}

/** A request without an answer is slower than any: with a larger share of them, there is no such percentile. */
const UNANSWERED_SHARES = { p50: 0.5, p95: 0.05, p99: 0.01 } as const;

/** Judges a run. While the generator was late, goals about time and errors are inconclusive. */
export function judge(objectives: readonly Objective[], run: Run): Judged[] {
    const isLate = generatorFault(run) !== undefined;
    return objectives.map((objective) => {
        const { goal, unit } = describe(objective);
        const measured = measure(objective, run);
        if (typeof measured === "string" || Number.isNaN(measured)) {
            const why = typeof measured === "string" ? measured : "no answers";
            return { goal, measured: why, verdict: "not measured" };
        }
        const holds = "max" in objective ? measured <= objective.max : measured >= objective.min;
        const verdict = isLate ? "inconclusive" : holds ? "met" : "not met";
        return { goal, measured: `${format(measured * unit.factor)}${unit.text}`, verdict };
    });
}

export const EXIT_CODES = { met: 0, "not met": 1, inconclusive: 3 } as const;

/**
 * The verdict of a run: one goal that does not hold decides it; what is not known, no goal at all, or a run that was
 * interrupted, is not met.
 */
export function verdictOf(
    judged: readonly Judged[],
    isInterrupted = false,
): keyof typeof EXIT_CODES {
    if (judged.some(({ verdict }) => verdict === "not met")) return "not met";
    const isMet =
        !isInterrupted && judged.length > 0 && judged.every(({ verdict }) => verdict === "met");
    return isMet ? "met" : "inconclusive";
}

/** @returns the value, or the reason why there is none */
function measure(objective: Objective, run: Run): number | string {
    const { summary } = run;
    const routes = Object.values(summary.routes);
    switch (objective.measure) {
        case "errorShare":
            return errorShare(objective.route, run);
        case "p50":
        case "p95":
        case "p99": {
            const route = summary.routes[objective.route];
            if (!route) return `no request of ${objective.route}`;
            if (route.answered === 0) return `no answer of ${objective.route}`;
            if (objective.cached && route.hits === 0) return `no hit of ${objective.route}`;
            const failed = route.failed / (route.answered + route.failed);
            if (failed > UNANSWERED_SHARES[objective.measure])
                return `${format(failed * 100)} % of ${objective.route} failed, more than the percentile leaves out`;
            return (objective.cached ? route.cached : route.latency)[objective.measure];
        }
        case "hitRate":
            return objective.from === "x-cache" ? hitsOfAnswers(routes) : hitsOfLookups(run);
        case "users":
            return summary.peakUsers;
        case "drift":
            return drift(run);
        case "knee":
            return run.knee ?? "no rate held";
    }
}

function errorShare(name: string | undefined, { summary, scheduled }: Run): number | string {
    if (name !== undefined) {
        const route = summary.routes[name];
        return route ? route.failed / (route.answered + route.failed) : `no request of ${name}`;
    }
    const failed = sum(Object.values(summary.routes).map((route) => route.failed));
    // What an interrupted run has not sent is nobody's fault.
    const unsent = summary.interrupted ? 0 : scheduled - summary.sent;
    if (summary.sent + unsent === 0) return "no request was sent";
    return (failed + unsent) / (summary.sent + unsent);
}

function hitsOfAnswers(routes: readonly RouteSummary[]): number | string {
    const withStatus = routes.filter(({ cache }) => Object.keys(cache).length > 0);
    if (withStatus.length === 0) return "no answer had x-cache";
    return sum(withStatus.map(({ hits }) => hits)) / sum(withStatus.map((one) => one.answered));
}

function hitsOfLookups({ lookups, lookupsMissing }: Run): number | string {
    if (!lookups) return lookupsMissing ?? "no Prometheus";
    return hitShare(lookups);
}

/** Share of lookups that needed no upstream call of their own. */
export function hitShare(lookups: Readonly<Record<string, number>>): number {
    const all = sum(Object.values(lookups));
    return (all - (lookups.miss ?? 0) - (lookups.error ?? 0)) / all;
}

function drift({ seconds }: Run): number | string {
    const third = Math.floor(seconds.length / 3);
    if (third < 5) return "the run is shorter than 15 s";
    const p99Of = (part: typeof seconds) =>
        median(part.flatMap(({ routes }) => Object.values(routes).map(({ p99 }) => p99)));
    return p99Of(seconds.slice(-third)) / p99Of(seconds.slice(0, third));
}

function describe(objective: Objective): {
    readonly goal: string;
    readonly unit: { readonly factor: number; readonly text: string };
} {
    const limit = "max" in objective ? `at most ${objective.max}` : `at least ${objective.min}`;
    const { route = "" } = objective as { readonly route?: string };
    const of = route === "" ? "" : ` of ${route}`;
    const percent = { factor: 100, text: " %" };
    switch (objective.measure) {
        case "errorShare":
            return { goal: `errors${of}: at most ${objective.max * 100} %`, unit: percent };
        case "hitRate": {
            const source = objective.from === "prometheus" ? "Prometheus" : objective.from;
            return { goal: `hits by ${source}: at least ${objective.min * 100} %`, unit: percent };
        }
        case "users":
            return { goal: `users at the same time: ${limit}`, unit: { factor: 1, text: "" } };
        case "drift":
            return {
                goal: `p99 of the last third by the first: ${limit} ×`,
                unit: { factor: 1, text: " ×" },
            };
        case "knee":
            return { goal: `sustained rate: ${limit}/s`, unit: { factor: 1, text: "/s" } };
        default: {
            const what = objective.cached ? `${objective.measure} of hits` : objective.measure;
            return { goal: `${what}${of}: ${limit} ms`, unit: { factor: 1, text: " ms" } };
        }
    }
}

/** Failed requests by route and reason, in words. */
export const failuresOf = ({ routes }: Pick<Summary, "routes">): readonly string[] =>
    Object.entries(routes).flatMap(([route, { failures }]) =>
        Object.entries(failures).map(([reason, count]) => `${route}: ${count} × ${reason}`),
    );

const sum = (values: readonly number[]): number => values.reduce((all, one) => all + one, 0);

/** Three significant digits at most. */
export function format(value: number): string {
    if (Number.isInteger(value)) return value.toLocaleString("en");
    return Number(value.toPrecision(value >= 100 ? 4 : 3)).toLocaleString("en", {
        maximumFractionDigits: 4,
    });
}
