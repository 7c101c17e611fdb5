import { SAVING_RESULTS, type CacheResult, type Colour } from "@property-search/contract";
import type { Limits } from "./limits.ts";
import type { ColourSample, Observation } from "./observation.ts";
import { evidenceAbove, evidenceWorse, type Share, type Tolerance } from "./sequential.ts";
import { percent, points } from "./text.ts";

/** Who is judged, and by whose figures. */
export interface Roles {
    readonly candidate: Colour;
    readonly active: Colour;
}

/** A share of the candidate's requests, held against the active's or against a limit. */
export interface Comparison {
    readonly metric: string;
    readonly candidate: Share;
    /** Shown where it is not what the candidate is held against, too. */
    readonly active: Share | undefined;
    readonly allowed: string;
    /** That more is wrong than is allowed, as a power of ten: 3 is a thousand to one. */
    readonly evidence: number;
    /** From where on it is a failure. */
    readonly needed: number;
}

/** Results whose answers are compared with their like; errors are counted, not timed. */
const TIMED_RESULTS: readonly CacheResult[] = [...SAVING_RESULTS, "miss"];

/** What p95 is taken of: a coalesced request waits for another one's miss. */
export const KINDS = {
    hits: ["hit_l1", "hit_l2", "stale"],
    misses: ["coalesced", "miss"],
} as const satisfies Record<string, readonly CacheResult[]>;

/** p95 above a limit is the same as more than this share above it. */
const ABOVE_P95 = 0.05;

/** Every share that is judged. The chance of a false alarm is divided among them (Bonferroni). */
export function comparisons(
    { colours, route }: Observation,
    { candidate, active }: Roles,
    limits: Limits,
): readonly Comparison[] {
    const own = colours[candidate];
    const other = colours[active];
    const errors = errorTests(own, other, active, route, limits);
    const latency = latencyTests(own, other, active, limits);
    // Half for what fails and half for what is slow, in which there are many more.
    const chance = limits.falseAlarm / limits.windows / 2;
    return [
        ...errors.map(bounded(chance / errors.length)),
        ...latency.map(bounded(chance / latency.length)),
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

function bounded(falseAlarm: number): (test: Test) => Comparison {
    const needed = -Math.log10(falseAlarm);
    return ({ evidence, ...test }) => ({ ...test, evidence: evidence / Math.LN10, needed });
}

function errorTests(
    own: ColourSample,
    other: ColourSample,
    active: Colour,
    route: Share | undefined,
    { errors, atGateway, unserved }: Limits,
): readonly Test[] {
    const gateway = [own.atGateway ?? NONE, other.atGateway ?? NONE] as const;
    return [
        below("errors", own.requests, other.requests, errors.limit),
        notWorse("errors", own.requests, other.requests, active, {
            ratio: 1,
            margin: errors.margin,
        }),
        below("errors at the gateway", ...gateway, atGateway.limit),
        notWorse("errors at the gateway", ...gateway, active, {
            ratio: 1,
            margin: atGateway.margin,
        }),
        below("requests that got no pod", route ?? NONE, undefined, unserved),
    ];
}

/** Hits beside hits and misses beside misses: a cold cache has more misses, and they are no slower. */
function latencyTests(
    own: ColourSample,
    other: ColourSample,
    active: Colour,
    { latency }: Limits,
): readonly Test[] {
    const { edges, p95Seconds } = latency;
    const named = (what: string, seconds: number) => `${what} slower than ${seconds} s`;
    return [
        ...(["hits", "misses"] as const).map((kind) =>
            below(
                named(kind, p95Seconds[kind]),
                slower(own, KINDS[kind], p95Seconds[kind]),
                slower(other, KINDS[kind], p95Seconds[kind]),
                ABOVE_P95,
            ),
        ),
        ...TIMED_RESULTS.flatMap((result) =>
            edges.map((seconds) =>
                notWorse(
                    named(result, seconds),
                    slower(own, [result], seconds),
                    slower(other, [result], seconds),
                    active,
                    latency,
                ),
            ),
        ),
    ];
}

function below(metric: string, candidate: Share, active: Share | undefined, limit: number): Test {
    const evidence = evidenceAbove(candidate, limit);
    return { metric, candidate, active, allowed: `at most ${percent(limit)}`, evidence };
}

function notWorse(
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

/** @returns the answers of these results that took longer; an edge that was not asked for is not known */
function slower({ times }: ColourSample, results: readonly CacheResult[], seconds: number): Share {
    return results.reduce(({ bad, of }, result) => {
        const timed = times[result];
        if (!timed) return { bad, of };
        const above = timed.slower.find((edge) => edge.seconds === seconds)?.answers ?? NaN;
        return { bad: bad + above, of: of + timed.answers };
    }, NONE);
}

const NONE: Share = { bad: 0, of: 0 };
