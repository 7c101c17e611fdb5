/** Requests, and the bad ones among them. */
export interface Share {
    readonly bad: number;
    readonly total: number;
}

/** Maximum share of the candidate: `ratio` times the active's share plus `margin`. */
export interface Tolerance {
    readonly ratio: number;
    readonly margin: number;
}

/**
 * Evidence that is valid at any time. Requests are bad with probabilities p₁, p₂, …, which may change from one request to the
 * next and depend on earlier ones. As 1 + p(θ − 1) ≤ exp(p(θ − 1)), the product
 * θ^bad · exp(−(θ − 1)·Σp) does not grow on average, for every θ > 0, nor does its mean over θ from a
 * gamma distribution of shape and rate ½, which has the closed form below. By Ville's inequality it ever
 * reaches 1/α with a probability of at most α, at any look and under any stopping rule: Robbins' mixture
 * (1970) of Howard et al., "Time-uniform Chernoff bounds via nonnegative supermartingales" (2020); for
 * releases Lindon, Sanden and Shirikian, "Rapid regression detection in software deployments" (2022).
 * Its values are what Waudby-Smith and Ramdas, "Estimating means of bounded random variables by betting"
 * (2024), call the capital of a bet against the hypothesis.
 *
 * @returns the natural logarithm of the evidence against Σp = `expected`
 */
export function logEvidence(bad: number, expected: number): number {
    return (
        expected +
        PRIOR * Math.log(PRIOR) +
        logGamma(PRIOR + bad) -
        LOG_GAMMA_OF_PRIOR -
        (PRIOR + bad) * Math.log(PRIOR + expected)
    );
}

/** @returns the logarithm of the evidence that the bad share is above the limit; 0 for none */
export function evidenceAbove({ bad, total }: Share, limit: number): number {
    return bad > total * limit ? Math.max(0, logEvidence(bad, total * limit)) : 0;
}

/** @returns the logarithm of the evidence that the bad share is below the limit; 0 for none */
export function evidenceBelow({ bad, total }: Share, limit: number): number {
    return bad < total * limit ? Math.max(0, logEvidence(bad, total * limit)) : 0;
}

/**
 * The product of both colours' evidence, which is evidence too, minimized over the probabilities within the tolerance. It is
 * also valid while both colours' probabilities change together, as when their upstream fails.
 *
 * @returns the logarithm of the evidence that the candidate is worse than the tolerance; 0 for none
 */
export function evidenceWorse(candidate: Share, active: Share, tolerance: Tolerance): number {
    if (active.total === 0 || candidate.total === 0) return 0;
    const { ratio, margin } = tolerance;
    const tolerated = (chance: number) => Math.min(1, ratio * chance + margin);
    const activeRate = active.bad / active.total;
    if (candidate.bad <= candidate.total * tolerated(activeRate)) return 0;
    const slope = (chance: number) => {
        const expected = candidate.total * tolerated(chance);
        return (
            candidate.total * ratio * (1 - (PRIOR + candidate.bad) / (PRIOR + expected)) +
            active.total * (1 - (PRIOR + active.bad) / (PRIOR + active.total * chance))
        );
    };
    // The sum of both logarithms is convex; its minimum lies between the active's and the candidate's share.
    let least = activeRate;
    let most = Math.max(activeRate, (candidate.bad / candidate.total - margin) / ratio);
    for (let turn = 0; turn < BISECTIONS; turn += 1) {
        const middle = (least + most) / 2;
        if (slope(middle) < 0) least = middle;
        else most = middle;
    }
    return Math.max(
        0,
        logEvidence(candidate.bad, candidate.total * tolerated(most)) +
            logEvidence(active.bad, active.total * most),
    );
}

/** Shape and rate of the mixture: its mean is 1, and half of its mass is below 0.46 or above 2. */
const PRIOR = 0.5;
const LOG_GAMMA_OF_PRIOR = Math.log(Math.PI) / 2;
const BISECTIONS = 40;

/** Stirling's series, accurate to 1e-10 for arguments from 8, to which smaller ones are shifted. */
function logGamma(x: number): number {
    let lift = 0;
    let at = x;
    for (; at < 8; at += 1) lift += Math.log(at);
    const square = 1 / (at * at);
    const series = (1 / 12 - square * (1 / 360 - square * (1 / 1260 - square / 1680))) / at;
    return (at - 0.5) * Math.log(at) - at + Math.log(2 * Math.PI) / 2 + series - lift;
}
