import type { Bounds } from "@property-search/contract";
import { formatPercent } from "../report/format.ts";
import { interpolate, type LocalCacheEvidence } from "./evidence.ts";
import type { Change, Comparison, Proposal } from "./proposal.ts";

const STEP = 2;
/** Hysteresis: growing must answer more requests than shrinking may lose. */
const MIN_GROWTH = 0.01;
const MAX_LOSS = 0.002;
/** Below it, a cache is not made smaller, since its memory is not worth a change. */
const LEAST_ENTRIES = 500;
/** Share of requests by which the prediction may be missed. */
const TOLERANCE = 0.01;
const TOLERATED_PART = 0.5;

/**
 * A local cache answers in microseconds what Redis answers in about a millisecond; the upstream's bill does not change. It is
 * doubled if that answers more requests, and halved if that loses hardly any, within the memory of a pod.
 */
export function proposeLocalCache(
    evidence: LocalCacheEvidence,
    current: number,
    { most }: Bounds,
): Proposal {
    const ghost = createGhost(evidence);
    const factor = evidence.measuredShare / ghost(current);
    if (!(factor > 0 && factor < Infinity))
        return keep(
            "no request was answered from the pods' memory, or the ghost caches expect none",
        );
    // A cache that admits by frequency, or has just started, differs from the ghosts, which evict by last use.
    const shareOf = (size: number) => Math.min(1, ghost(size) * factor);
    const larger = Math.min(most, current * STEP);
    const growth = Math.min(shareOf(larger) - shareOf(current), evidence.redisShare);
    if (larger > current && growth >= MIN_GROWTH)
        return propose(
            larger,
            { expected: shareOf(current) + growth, modelled: ghost(larger), growth },
            `${larger} entries instead of ${current} answer ${formatPercent(growth)} more of the requests from the pod's memory, which Redis answers now`,
        );
    const smaller = Math.max(LEAST_ENTRIES, Math.floor(current / STEP));
    const loss = shareOf(current) - shareOf(smaller);
    if (smaller < current && loss <= MAX_LOSS)
        return propose(
            smaller,
            { expected: shareOf(smaller), modelled: ghost(smaller), growth: 0 },
            `${smaller} entries instead of ${current} answer only ${formatPercent(loss)} less of the requests from the pod's memory`,
        );
    return keep(
        `${larger} entries would answer ${formatPercent(growth)} more of the requests, less than ${formatPercent(MIN_GROWTH)}; ${smaller} would lose ${formatPercent(loss)}`,
    );
}

/** At the demand of the day: a cache of any size answers fewer requests if fewer are repeated. */
export function compareLocalCache(evidence: LocalCacheEvidence, change: Change): Comparison {
    const { to, prediction } = change;
    const { tolerance, modelled } = prediction;
    const demand = modelled === null ? 1 : createGhost(evidence)(to) / modelled;
    const expected = prediction.expected * demand;
    const { measuredShare } = evidence;
    return {
        figure: measuredShare,
        holds: measuredShare >= expected - tolerance,
        words: `the pods' memory answered ${formatPercent(measuredShare)}; expected ${formatPercent(expected)} at that day's demand, at least ${formatPercent(expected - tolerance)}`,
    };
}

interface Expectation {
    readonly expected: number;
    readonly modelled: number;
    readonly growth: number;
}

function propose(to: number, { growth, ...shares }: Expectation, reason: string): Proposal {
    const tolerance = TOLERANCE + TOLERATED_PART * growth;
    const figure = "share of the requests that the pods' memory answers";
    return { to, reason, prediction: { figure, unit: "share", tolerance, ...shares } };
}

const createGhost =
    ({ entries, hitShares }: LocalCacheEvidence) =>
    (size: number): number =>
        interpolate(size, entries, hitShares);

const keep = (reason: string): Proposal => ({ to: undefined, reason, prediction: undefined });
