import { formatDollars, formatPercent } from "../report/format.ts";
import { interpolate, type TtlEvidence } from "./evidence.ts";
import { formatDuration } from "./format.ts";
import type { Change, Comparison, Proposal } from "./proposal.ts";

/**
 * Changes of one day, as factors of the lifetime in force. A shorter lifetime costs before it saves: popular texts are
 * fetched earlier at once, and the storage of the others shrinks when the longer lifetime has passed. What it costs until
 * then is in proportion to the step, so that steps down are small, and each is complete before the next one.
 */
const STEPS = { up: [Math.SQRT2, 2], down: [2 ** (-1 / 8)] };
/** Bounds of a tuned lifetime: the range that ghost caches know. */
const [LEAST_SECONDS, MOST_SECONDS] = [3_600, 30 * 86_400];
/** Hysteresis: a smaller gain, as a part of the cost, is not worth a change. */
const MIN_GAIN = 0.01;
/** Fetches that the service makes may differ by this factor from those that the ghosts expect. */
const MAX_DEVIATION = 1.25;
/** Fewer fetches per day show nothing. */
const MIN_FETCHES = 500;
/** One-sided quantile of Student's t with 7 degrees of freedom at 0.95, for eight groups; larger for fewer. */
const STUDENT_T = [NaN, 6.314, 2.92, 2.353, 2.132, 2.015, 1.943, 1.895];
/** A measured gain may be this part lower than the expected one, in addition to the error of sampling. */
const TOLERATED_PART = 0.5;

/**
 * The cheapest lifetime within one step: fetches cost money, and so do the entries that are kept, each for its lifetime and
 * the time as a stale entry after it (Little's law).
 *
 * @param recentValues lifetimes with which entries that exist may have been written
 */
export function proposeTtl(
    evidence: TtlEvidence,
    current: number,
    recentValues: readonly number[],
): Proposal {
    const problem = findProblem(evidence, current, recentValues);
    if (problem !== undefined) return keep(problem);
    const cost = costOf(evidence, current);
    const isShortening = recentValues.some((value) => value > current);
    const steps = isShortening ? STEPS.up : [...STEPS.down, ...STEPS.up];
    const candidates = steps
        .map((step) => roundTtl(current * step))
        .filter((ttl) => ttl !== current && ttl <= evidence.memorySeconds)
        .map((to) => ({ to, ...gainOf(evidence, current, to) }))
        .sort((a, b) => b.gain - a.gain);
    const [best] = candidates;
    if (!best) return keep("no other lifetime is within the history of the ghost caches");
    const { to, gain, error } = best;
    const words = `${formatDuration(to)} instead of ${formatDuration(current)}`;
    if (gain < MIN_GAIN * cost || gain <= error)
        return keep(
            `${words} would save less than ${formatPercent(MIN_GAIN)} or than the error of sampling (gain ${formatDollars(gain)} ± ${formatDollars(error)} a day of ${formatDollars(cost)})`,
        );
    return {
        to,
        reason: `${words} saves ${formatDollars(gain)} a day: ${describeParts(evidence, current, to)}`,
        prediction: {
            figure: "net savings gained",
            unit: "dollars per day",
            expected: gain,
            tolerance: TOLERATED_PART * gain + error,
            modelled: fetchesOf(evidence, current),
        },
    };
}

/** Compares a change with the fetches of a later day: those of the ghosts, and those that the service made. */
export function compareTtl(evidence: TtlEvidence, change: Change): Comparison {
    const { from, to, prediction, recentValues } = change;
    const { gain, error } = gainOf(evidence, from, to);
    const { modelled } = prediction;
    // A weekend has fewer fetches, and gains less.
    const demand = modelled === null ? 1 : fetchesOf(evidence, from) / modelled;
    const expected = prediction.expected * demand;
    const least = expected - prediction.tolerance * demand;
    const deviation = describeDeviation(evidence, [from, to, ...recentValues]);
    const words = `gained ${formatDollars(gain)} ± ${formatDollars(error)} a day; expected ${formatDollars(expected)} at that day's demand, at least ${formatDollars(least)}`;
    return {
        figure: gain,
        // One day's sample has an error of its own.
        holds: gain + error >= least && deviation === undefined,
        words: deviation === undefined ? words : `${words}; ${deviation}`,
    };
}

function findProblem(
    evidence: TtlEvidence,
    current: number,
    recentValues: readonly number[],
): string | undefined {
    const { memorySeconds, dollarsPerFetch, dollarsPerEntrySecond, measuredFetches } = evidence;
    if (memorySeconds < current)
        return `the ghost caches cover only the last ${formatDuration(memorySeconds)}, and entries live for ${formatDuration(current)}`;
    if (measuredFetches < MIN_FETCHES)
        return `${Math.round(measuredFetches)} fetches a day are too few; required: ${MIN_FETCHES}`;
    if (!(dollarsPerFetch > 0) || !(dollarsPerEntrySecond > 0))
        return "the price of a fetch or of storage is 0, so that nothing can be weighed";
    return describeDeviation(evidence, [current, ...recentValues]);
}

/** @returns words if the fetches are not between those that the ghosts expect of the lifetimes in use */
function describeDeviation(evidence: TtlEvidence, ttls: readonly number[]): string | undefined {
    const expected = ttls.map((ttl) => fetchesOf(evidence, ttl));
    const [least, most] = [Math.min(...expected), Math.max(...expected)];
    const { measuredFetches: measured } = evidence;
    if (measured >= least / MAX_DEVIATION && measured <= most * MAX_DEVIATION) return undefined;
    const range = `${Math.round(least)} to ${Math.round(most)}`;
    return `the service fetched ${Math.round(measured)} a day, and its ghost caches expect ${range}: something else than the lifetime decides, such as evictions`;
}

/** Dollars per day of a lifetime. */
export function costOf(evidence: TtlEvidence, ttl: number): number {
    return sum(costsByGroup(evidence, ttl));
}

function fetchesOf({ ttls, fetches }: TtlEvidence, ttl: number): number {
    return sum(fetches.map((group) => interpolate(ttl, ttls, group)));
}

function costsByGroup(evidence: TtlEvidence, ttl: number): number[] {
    const { ttls, fetches, dollarsPerFetch, dollarsPerEntrySecond, staleSeconds } = evidence;
    const each = dollarsPerFetch + dollarsPerEntrySecond * (ttl + staleSeconds);
    return fetches.map((group) => each * interpolate(ttl, ttls, group));
}

/** Gain in dollars per day, and the one-sided error of sampling keys. */
function gainOf(evidence: TtlEvidence, from: number, to: number) {
    const after = costsByGroup(evidence, to);
    const gains = costsByGroup(evidence, from).map((cost, at) => cost - (after[at] ?? NaN));
    const gain = sum(gains);
    const mean = gain / gains.length;
    const variance = sum(gains.map((one) => (one - mean) ** 2)) / (gains.length - 1);
    const t = STUDENT_T[Math.min(gains.length - 1, STUDENT_T.length - 1)] ?? NaN;
    const error = t * Math.sqrt(variance * gains.length);
    // Without groups, nothing is known of the error.
    return { gain, error: Number.isNaN(error) ? Infinity : error };
}

function describeParts(evidence: TtlEvidence, from: number, to: number): string {
    const { dollarsPerFetch } = evidence;
    const upstream = (ttl: number) => dollarsPerFetch * fetchesOf(evidence, ttl);
    const storage = (ttl: number) => costOf(evidence, ttl) - upstream(ttl);
    const change = (of: (ttl: number) => number) =>
        `${formatDollars(of(from))} to ${formatDollars(of(to))}`;
    return `fetches from ${change(upstream)}, storage from ${change(storage)}`;
}

/** Whole minutes, within the bounds. */
function roundTtl(seconds: number): number {
    const rounded = Math.round(seconds / 60) * 60;
    return Math.min(MOST_SECONDS, Math.max(LEAST_SECONDS, rounded));
}

const keep = (reason: string): Proposal => ({ to: undefined, reason, prediction: undefined });

const sum = (values: readonly number[]): number => values.reduce((all, one) => all + one, 0);
