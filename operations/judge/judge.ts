import {
    perColour,
    type CacheResult,
    type Colour,
    SAVING_RESULTS,
} from "@property-search/contract";
import { comparisons, type Comparison, type Roles } from "./comparisons.ts";
import { inconclusiveReasons } from "./inconclusiveReasons.ts";
import { podFailures } from "./hardLimits.ts";
import { checkLimits, type Limits } from "./limits.ts";
import {
    InconclusiveError,
    type ColourSample,
    type Evidence,
    type Observation,
    type Window,
} from "./observation.ts";
import { percent, shareText } from "./text.ts";

export type Verdict = "pass" | "fail" | "inconclusive";

/** Result of an analysis, as plain data for the release record. */
export interface Judgement {
    readonly verdict: Verdict;
    /** Never empty: each has its metric, both colours' figures, and the limit. */
    readonly reasons: readonly string[];
    /** Undefined without data. */
    readonly figures: Figures | undefined;
    /** Unix seconds at which a window of the same length can be analysed; undefined: now, or unknown. */
    readonly readyAt?: number | undefined;
}

export interface Figures {
    /** Unix seconds. */
    readonly from: number;
    readonly to: number;
    readonly colours: Readonly<Record<Colour, ColourFigures>>;
    /** The comparisons closest to a failure. */
    readonly comparisons: readonly Comparison[];
}

export interface ColourFigures extends Pick<
    ColourSample,
    "requests" | "gatewayRequests" | "restarts" | "pods" | "memory"
> {
    /** Share of hits, 0–1: shown, never judged, since a cold cache is no fault. Undefined: no answers. */
    readonly hitShare: number | undefined;
}

const MAX_COMPARISONS = 5;

/** Odds of a hundred to one: too little for a failure, too much for a pass. */
const SUSPICION_THRESHOLD = 2;

/** Reads the evidence and judges it; without evidence the verdict is inconclusive. */
export async function analyze(
    evidence: Evidence,
    window: Window,
    roles: Roles,
    limits: Limits,
): Promise<Judgement> {
    checkLimits(limits);
    try {
        return judge(await evidence.read(window), roles, limits);
    } catch (error) {
        if (!(error instanceof InconclusiveError)) throw error;
        const { message, readyAt } = error;
        return { verdict: "inconclusive", reasons: [message], figures: undefined, readyAt };
    }
}

/**
 * Judges the candidate's window so far. `fail` can occur at any time, with partial data. `pass` needs complete data, enough
 * requests, errors that are shown to be under the limit, and no suspicious comparison. Otherwise the verdict is
 * `inconclusive`, and the analysis repeats.
 */
export function judge(observation: Observation, roles: Roles, limits: Limits): Judgement {
    const { colours, route } = observation;
    const invalid = invalidFigures("", { ...colours, route });
    if (invalid.length > 0)
        return { verdict: "inconclusive", reasons: invalid, figures: undefined };
    const compared = comparisons(observation, roles, limits);
    const figures = figuresOf(observation, compared);
    const failures = [
        ...compared
            .filter(({ evidence, threshold }) => evidence >= threshold)
            .map((comparison) => comparisonText(comparison, roles)),
        ...podFailures(colours, roles, limits),
    ];
    if (failures.length > 0) return { verdict: "fail", reasons: failures, figures };
    const reasons = [
        ...inconclusiveReasons(observation, roles, limits),
        ...compared
            .filter(({ evidence }) => evidence >= SUSPICION_THRESHOLD)
            .map((comparison) => `undecided: ${comparisonText(comparison, roles)}`),
    ];
    if (reasons.length > 0) return { verdict: "inconclusive", reasons, figures };
    return { verdict: "pass", reasons: passReasons(observation, roles, limits), figures };
}

/** @returns the paths of invalid figures */
function invalidFigures(path: string, value: unknown): readonly string[] {
    if (typeof value === "number") {
        return Number.isFinite(value) && value >= 0
            ? []
            : [`${path} is ${value}; allowed: 0 or more`];
    }
    if (typeof value !== "object" || value === null) return [];
    return Object.entries(value).flatMap(([key, inner]) =>
        invalidFigures(path === "" ? key : `${path}.${key}`, inner),
    );
}

function comparisonText({ metric, candidate, active, allowed }: Comparison, roles: Roles): string {
    const other = active ? `, ${roles.active} ${shareText(active)}` : "";
    const own = active ? `${roles.candidate} ${shareText(candidate)}` : shareText(candidate);
    return `${metric}: ${own}${other}; allowed: ${allowed}`;
}

function passReasons(
    { colours }: Observation,
    { candidate, active }: Roles,
    { errors, latency }: Limits,
): readonly string[] {
    const own = colours[candidate];
    const other = colours[active];
    const hits = (sample: ColourSample) => {
        const share = hitShare(sample);
        return share === undefined ? "none" : percent(share);
    };
    return [
        `errors: ${candidate} ${shareText(own.requests)}, ${active} ${shareText(other.requests)}; ` +
            `shown to be under ${percent(errors.limit)}`,
        other.requests.total > 0
            ? `latency: no kind of answer of ${candidate} is slower than allowed at ${latency.upperBounds.join(", ")} s`
            : `latency: p95 is within its limits; ${active} has no answers to compare with`,
        `hits: ${candidate} ${hits(own)} of the answers, ${active} ${hits(other)}; not judged`,
    ];
}

function figuresOf({ from, to, colours }: Observation, compared: readonly Comparison[]): Figures {
    return {
        from,
        to,
        colours: perColour((colour) => {
            const { requests, gatewayRequests, restarts, pods, memory } = colours[colour];
            return {
                requests,
                gatewayRequests,
                restarts,
                pods,
                memory,
                hitShare: hitShare(colours[colour]),
            };
        }),
        comparisons: compared
            .filter(({ candidate }) => candidate.total > 0)
            .toSorted((a, b) => b.evidence / b.threshold - a.evidence / a.threshold)
            .slice(0, MAX_COMPARISONS),
    };
}

function hitShare({ answerTimes }: ColourSample): number | undefined {
    const answers = (results: readonly CacheResult[]) =>
        results.reduce((sum, result) => sum + (answerTimes[result]?.answers ?? 0), 0);
    const hits = answers(SAVING_RESULTS);
    const all = hits + answers(["miss"]);
    return all > 0 ? hits / all : undefined;
}
