/** Anytime-valid upper bounds on the share of wrong answers: they hold at all times at once (Ville, 1939). */

/** Answers of a kind so far. */
export interface Tally {
    /** Answers whose true vector is known. */
    readonly labelled: number;
    /** Labelled answers that were wrong. */
    readonly wrong: number;
}

/**
 * Bets of the wealth processes, as shares of the largest bet that cannot lose everything. The best one is
 * 1 − error / bound.
 */
const BETS = [0.3, 0.6, 0.95];
/** Tilts of the process for unlabelled answers. */
const TILTS = [0.1, 0.25, 0.5, 1, 2, 4, 8];
const BISECTIONS = 40;

/**
 * Upper bound on the mean error of labelled answers. For a mean m, the wealth Π (1 + λ(m − xᵢ)) is a test
 * supermartingale (Waudby-Smith and Ramdas, JRSS B 2024, section 4); bets are mixed instead of adapted, so that
 * the wealth depends only on the counts.
 *
 * @param alpha probability that the bound ever fails
 */
export function upperErrorBound(tally: Tally, alpha: number): number {
    const { labelled, wrong } = tally;
    const low = labelled === 0 ? 1 : wrong / labelled;
    return bisect(low, 1, (mean) => isRejected(tally, mean, alpha));
}

/** Whether `upperErrorBound` is at most a number, without computing it. */
export function isErrorAtMost(tally: Tally, most: number, alpha: number): boolean {
    return most >= 1 || isRejected(tally, most, alpha);
}

/** The wealth rises with the mean, and is at most 1 up to the share of wrong labels. */
function isRejected({ labelled, wrong }: Tally, mean: number, alpha: number): boolean {
    const logs = BETS.map(
        (bet) =>
            wrong * Math.log1p(-bet) + (labelled - wrong) * Math.log1p((bet * mean) / (1 - mean)),
    );
    return logMean(logs) >= -Math.log(alpha);
}

/** Rate of the mixture of `upperMeanError`: the bound is narrowest if about a fourth of the errors it allows occurs. */
const RATE = 4;

/**
 * Upper bound on the mean of the probabilities with which labelled answers were wrong, which may differ and depend on
 * all answers before. If answer i is wrong with probability eᵢ, then λ^wrong · exp((1 − λ)·Σ eᵢ) is a test
 * supermartingale for each λ > 0. Here, λ has an exponential distribution, whose integral is known: without an error,
 * a bound of 2 % with α = 0.05 takes 183 labels, and no bound can do with less than 148.
 *
 * @param alpha probability that the bound ever fails
 */
export function upperMeanError(tally: Tally, alpha: number): number {
    const { labelled, wrong } = tally;
    if (labelled === 0) return 1;
    return bisect(wrong, labelled, (sum) => isSumRejected(tally, sum, alpha)) / labelled;
}

/** Whether `upperMeanError` is at most a number, without computing it. */
export function isMeanErrorAtMost(tally: Tally, most: number, alpha: number): boolean {
    const sum = most * tally.labelled;
    return most >= 1 || (sum > tally.wrong && isSumRejected(tally, sum, alpha));
}

function isSumRejected({ wrong }: Tally, sum: number, alpha: number): boolean {
    let logFactorial = 0;
    for (let factor = 2; factor <= wrong; factor += 1) logFactorial += Math.log(factor);
    const wealth = sum + Math.log(RATE) - (1 + wrong) * Math.log(RATE + sum) + logFactorial;
    return wealth >= -Math.log(alpha);
}

/** Bounds the number of wrong answers that were served, whatever the order and the kind of the requests. */
export interface ServedErrors {
    /** @param auditShare probability with which it could have been audited */
    readonly onServed: (auditShare: number) => void;
    readonly onAudit: (auditShare: number, isWrong: boolean) => void;
    /** @returns upper bound on the wrong ones among those served */
    readonly upperBound: (alpha: number) => number;
    readonly save: () => SavedServedErrors;
}

/** Answers served by the step of their probability of an audit, and the exponent of each tilt. */
export interface SavedServedErrors {
    readonly servedBy: readonly (readonly [step: number, count: number])[];
    readonly found: readonly number[];
}

/** Probabilities of an audit are rounded down to 2^(−n / 4). */
const STEPS_PER_HALF = 4;

/**
 * Only the coins of the audits are random. If decision i is wrong and audited with probability qᵢ, then
 * E exp(−θ · [audited]) = 1 − qᵢ(1 − e^−θ), so exp(−θ · audited wrong) / Π (1 − qᵢ(1 − e^−θ)) over the wrong decisions
 * is a martingale. At worst, the wrong ones are those with the smallest qᵢ.
 *
 * @param saved what another process has counted
 */
export function createServedErrors(saved?: SavedServedErrors): ServedErrors {
    /** Answers served, by their probability of an audit. */
    const servedBy = new Map(saved?.servedBy);
    /** For each tilt, the exponent of the wrong answers that audits found. */
    const found = saved ? [...saved.found] : TILTS.map(() => 0);
    return {
        onServed: (auditShare) => {
            const step = Math.ceil(-STEPS_PER_HALF * Math.log2(auditShare));
            servedBy.set(step, (servedBy.get(step) ?? 0) + 1);
        },
        onAudit: (auditShare, isWrong) => {
            if (!isWrong) return;
            TILTS.forEach((tilt, at) => {
                found[at] = (found[at] ?? 0) - tilt + exponentOf(tilt, auditShare);
            });
        },
        upperBound: (alpha) => {
            const exponents = [...found];
            let bound = 0;
            for (const step of [...servedBy.keys()].sort((a, b) => b - a)) {
                const count = servedBy.get(step) ?? 0;
                const each = TILTS.map((tilt) => exponentOf(tilt, 2 ** (-step / STEPS_PER_HALF)));
                const isRejected = (wrong: number): boolean =>
                    logMean(exponents.map((sum, at) => sum + wrong * (each[at] ?? 0))) >=
                    -Math.log(alpha);
                if (isRejected(count)) return bound + bisect(0, count, isRejected);
                bound += count;
                each.forEach((one, at) => {
                    exponents[at] = (exponents[at] ?? 0) + count * one;
                });
            }
            return bound;
        },
        save: () => ({ servedBy: [...servedBy], found: [...found] }),
    };
}

/** @returns −log(1 − q(1 − e^−θ)) */
function exponentOf(tilt: number, auditShare: number): number {
    return -Math.log1p(-auditShare * (1 - Math.exp(-tilt)));
}

/** Detects that the error has become larger than the budget. */
export interface ChangeDetector {
    /** @returns whether the budget is exceeded, with at most one false alarm in 1/α labels on average */
    readonly learn: (isWrong: boolean) => boolean;
    readonly reset: () => void;
}

/** Excess of the error over the budget to which the detector reacts fastest. */
const EXCESS = 4;

/** An e-CUSUM (Shin, Ramdas and Rinaldo, E-detectors, NEJSDS 2023): evidence restarts whenever it falls below 1. */
export function createChangeDetector(budget: number, alpha: number): ChangeDetector {
    const excess = Math.min(EXCESS * budget, (1 + budget) / 2);
    const lambda = (excess - budget) / (budget * (1 - budget));
    let evidence = 1;
    return {
        learn: (isWrong) => {
            evidence = Math.max(1, evidence) * (1 + lambda * ((isWrong ? 1 : 0) - budget));
            return evidence >= 1 / alpha;
        },
        reset: () => {
            evidence = 1;
        },
    };
}

/** @returns the smallest rejected value in [low, high], from above; `high` if none is */
function bisect(low: number, high: number, isRejected: (value: number) => boolean): number {
    if (high <= low) return high;
    let [kept, rejected] = [low, high];
    for (let step = 0; step < BISECTIONS; step += 1) {
        const middle = (kept + rejected) / 2;
        if (isRejected(middle)) rejected = middle;
        else kept = middle;
    }
    return rejected;
}

/** @returns log of the mean of exp(values) */
function logMean(values: readonly number[]): number {
    const most = Math.max(...values);
    const sum = values.reduce((total, value) => total + Math.exp(value - most), 0);
    return most + Math.log(sum / values.length);
}
