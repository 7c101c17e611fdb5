import type { Arm } from "@property-search/contract";

/** A block of an experiment's units: the mean of its arm is the sum of all sums by the sum of all weights. */
export interface BlockSums {
    readonly arm: Arm;
    /** Such as hits. */
    readonly sum: number;
    /** Such as lookups; 1 for means per block. */
    readonly weight: number;
}

/** The treatment's mean less the control's. */
export interface Difference {
    readonly means: Readonly<Record<Arm, number>>;
    readonly estimate: number;
    /** Contains the true difference at every look, with a probability of 95 %. */
    readonly low: number;
    readonly high: number;
}

export const ALPHA = 0.05;
/** Two-sided quantile of the normal distribution. */
const NORMAL_QUANTILE = 1.959964;
/** Relative error with which Prometheus extrapolates a counter to the ends of a window. */
const EXTRAPOLATION_ERROR = 0.005;

/**
 * Compares ratios of sums. Units, not requests, were assigned, and a few units have most requests: the blocks of an arm
 * are independent, and their differences give the standard error (delta method, linearised ratio). The interval may be
 * looked at as often as one likes: mixture sequential ratio test with a normal prior of the difference (Johari et al.,
 * "Peeking at A/B Tests", KDD 2017), widened for few blocks like Student's t.
 *
 * @param likely size of a difference that matters; the interval is narrowest if the true one is about as large
 * @param leastVariance of the difference, where blocks with few counts may be equal by chance
 * @returns undefined if an arm has fewer than two blocks with a weight
 */
export function compare(
    blocks: readonly BlockSums[],
    likely: number,
    leastVariance = 0,
): Difference | undefined {
    const [control, treatment] = [
        readArm(blocks.filter(({ arm }) => arm === "control")),
        readArm(blocks.filter(({ arm }) => arm === "treatment")),
    ];
    if (!control || !treatment) return undefined;
    const ofBlocks = control.variance + treatment.variance;
    const variance = Math.max(ofBlocks, leastVariance);
    const estimate = treatment.mean - control.mean;
    // Of Welch and Satterthwaite.
    const freedom =
        ofBlocks ** 2 /
        (control.variance ** 2 / (control.blocks - 1) +
            treatment.variance ** 2 / (treatment.blocks - 1));
    const wider = ofBlocks === 0 ? 1 : studentQuantile(freedom) / NORMAL_QUANTILE;
    const information = likely ** 2 / variance;
    const half =
        variance === 0
            ? 0
            : wider *
              Math.sqrt(
                  variance * (1 + 1 / information) * Math.log((1 + information) / ALPHA ** 2),
              );
    return {
        means: { control: control.mean, treatment: treatment.mean },
        estimate,
        low: estimate - half,
        high: estimate + half,
    };
}

function readArm(blocks: readonly BlockSums[]) {
    const weights = blocks.reduce((all, { weight }) => all + weight, 0);
    if (blocks.filter(({ weight }) => weight > 0).length < 2) return undefined;
    const mean = blocks.reduce((all, { sum }) => all + sum, 0) / weights;
    const squares = blocks.reduce((all, { sum, weight }) => all + (sum - mean * weight) ** 2, 0);
    const variance = ((blocks.length / (blocks.length - 1)) * squares) / weights ** 2;
    return { blocks: blocks.length, mean, variance };
}

/**
 * How improbable the arms' numbers of requests are if the assignment is right. Logarithms, because a few units have most
 * requests.
 *
 * @returns Welch's t; beyond ± 3.5 in one of two thousand analyses or so
 */
export function sampleRatioT(
    blocks: readonly { readonly arm: Arm; readonly lookups: number }[],
): number {
    const [control, treatment] = (["control", "treatment"] as const).map((wanted) => {
        const logs = blocks
            .filter(({ arm }) => arm === wanted)
            .map(({ lookups }) => Math.log1p(lookups));
        const mean = logs.reduce((all, one) => all + one, 0) / logs.length;
        const squares = logs.reduce((all, one) => all + (one - mean) ** 2, 0);
        return { mean, variance: squares / (logs.length - 1) / logs.length };
    });
    if (!control || !treatment) return NaN;
    const error = Math.sqrt(control.variance + treatment.variance + EXTRAPOLATION_ERROR ** 2);
    return (treatment.mean - control.mean) / error;
}

/** The 0.975 quantile of Student's t (Cornish–Fisher; within 0.3 % from five degrees of freedom). */
function studentQuantile(freedom: number): number {
    const z = NORMAL_QUANTILE;
    return (
        z +
        (z ** 3 + z) / (4 * freedom) +
        (5 * z ** 5 + 16 * z ** 3 + 3 * z) / (96 * freedom ** 2) +
        (3 * z ** 7 + 19 * z ** 5 + 17 * z ** 3 - 15 * z) / (384 * freedom ** 3)
    );
}
