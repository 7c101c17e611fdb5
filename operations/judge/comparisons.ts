import { SAVING_RESULTS, type CacheResult, type Colour } from "@property-search/contract";
import type { Limits } from "./limits.ts";
import type { ColourSample, Observation } from "./observation.ts";
import { evidenceAbove, evidenceWorse, type Share, type Tolerance } from "./sequential.ts";
import { percent, points } from "./text.ts";

/** The colour that is judged, and the one it is compared with. */
export interface Roles {
    readonly candidate: Colour;
    readonly active: Colour;
}

/** A share of the candidate's requests, compared with the active's or a limit. */
export interface Comparison {
    readonly metric: string;
    readonly candidate: Share;
    /** Also shown if the candidate is compared with a limit. */
    readonly active: Share | undefined;
    readonly allowed: string;
    /** Evidence that the share exceeds what is allowed, as a power of ten: 3 is a thousand to one. */
    readonly evidence: number;
    /** Evidence at which it is a failure. */
    readonly threshold: number;
}

/** Results whose latency is compared; errors have none. */
const TIMED_RESULTS: readonly CacheResult[] = [...SAVING_RESULTS, "miss"];

/** Results of each p95: a coalesced request waits for another request's miss. */
export const ANSWER_KINDS = {
    hits: ["hit_l1", "hit_l2", "stale"],
    misses: ["coalesced", "miss"],
} as const satisfies Record<string, readonly CacheResult[]>;

/** p95 above a limit means that more than this share is above it. */
const ABOVE_P95 = 0.05;

/** All comparisons. The probability of a false alarm is divided among them (Bonferroni). */
export function comparisons(
    { colours, route }: Observation,
    { candidate, active }: Roles,
    limits: Limits,
): readonly Comparison[] {
    const own = colours[candidate];
    const other = colours[active];
    const errors = errorTests(own, other, active, route, limits);
    const latency = latencyTests(own, other, active, limits);
    // Half for errors and half for latency, which has many more comparisons.
    const chance = limits.falseAlarm / limits.windows / 2;
    return [
        ...errors.map(withThreshold(chance / errors.length)),
        ...latency.map(withThreshold(chance / latency.length)),
    ];
}

interface Test {
    readonly metric: string;
    readonly candidate: Share;
    readonly active: Share | undefined;
    readonly allowed: string;
    /** Natural logarithm. */
    readonly evidence: number;
}

function withThreshold(falseAlarm: number): (test: Test) => Comparison {
    const needed = -Math.log10(falseAlarm);
    return ({ evidence, ...test }) => ({
        ...test,
        evidence: evidence / Math.LN10,
        threshold: needed,
    });
}

function errorTests(
    own: ColourSample,
    other: ColourSample,
    active: Colour,
    route: Share | undefined,
    { errors, gatewayErrors, noPodErrors }: Limits,
): readonly Test[] {
    const gateway = [own.gatewayRequests ?? NONE, other.gatewayRequests ?? NONE] as const;
    return [
        testBelowLimit("errors", own.requests, other.requests, errors.limit),
        testNotWorse("errors", own.requests, other.requests, active, {
            ratio: 1,
            margin: errors.margin,
        }),
        testBelowLimit("errors at the gateway", ...gateway, gatewayErrors.limit),
        testNotWorse("errors at the gateway", ...gateway, active, {
            ratio: 1,
            margin: gatewayErrors.margin,
        }),
        testBelowLimit("requests that got no pod", route ?? NONE, undefined, noPodErrors),
    ];
}

/** Compares hits with hits and misses with misses: a cold cache has more misses, not slower ones. */
function latencyTests(
    own: ColourSample,
    other: ColourSample,
    active: Colour,
    { latency }: Limits,
): readonly Test[] {
    const { upperBounds, p95Seconds } = latency;
    const named = (what: string, seconds: number) => `${what} slower than ${seconds} s`;
    return [
        ...(["hits", "misses"] as const).map((kind) =>
            testBelowLimit(
                named(kind, p95Seconds[kind]),
                slowerShare(own, ANSWER_KINDS[kind], p95Seconds[kind]),
                slowerShare(other, ANSWER_KINDS[kind], p95Seconds[kind]),
                ABOVE_P95,
            ),
        ),
        ...TIMED_RESULTS.flatMap((result) =>
            upperBounds.map((seconds) =>
                testNotWorse(
                    named(result, seconds),
                    slowerShare(own, [result], seconds),
                    slowerShare(other, [result], seconds),
                    active,
                    latency,
                ),
            ),
        ),
    ];
}

function testBelowLimit(
    metric: string,
    candidate: Share,
    active: Share | undefined,
    limit: number,
): Test {
    const evidence = evidenceAbove(candidate, limit);
    return { metric, candidate, active, allowed: `at most ${percent(limit)}`, evidence };
}

function testNotWorse(
    metric: string,
    candidate: Share,
    active: Share,
    activeColour: Colour,
    tolerance: Tolerance,
): Test {
    const { ratio, margin } = tolerance;
    const base = ratio === 1 ? `${activeColour}'s` : `${ratio} × ${activeColour}'s`;
    return {
        metric,
        candidate,
        active,
        allowed: `at most ${base} and ${points(margin)} more`,
        evidence: evidenceWorse(candidate, active, tolerance),
    };
}

/** @returns the share of slower answers of these results; NaN for a bound that was not queried */
function slowerShare(
    { answerTimes }: ColourSample,
    results: readonly CacheResult[],
    seconds: number,
): Share {
    return results.reduce(({ bad, total }, result) => {
        const timed = answerTimes[result];
        if (!timed) return { bad, total };
        const above = timed.slower.find((edge) => edge.seconds === seconds)?.answers ?? NaN;
        return { bad: bad + above, total: total + timed.answers };
    }, NONE);
}

const NONE: Share = { bad: 0, total: 0 };
