import {
    createChangeDetector,
    createServedErrors,
    isErrorAtMost,
    isMeanErrorAtMost,
    upperErrorBound,
    upperMeanError,
    type SavedServedErrors,
    type Tally,
} from "./errorBound.ts";
import { createCalibration, type WeightedCurve } from "./scoreCalibration.ts";

/** Whose share the budget δ limits: wrong answers among the answers, or among all requests. */
export const BUDGET_MODES = ["per-hit", "per-request"] as const;
export type BudgetMode = (typeof BUDGET_MODES)[number];

/** `learning`: too few labels yet; `exhausted`: the budget was open, and its labels no longer permit it. */
export type BudgetState = "learning" | "serving" | "exhausted";

export interface BudgetReport {
    readonly state: BudgetState;
    /** Why nothing is served; undefined while answers are served. */
    readonly reason: string | undefined;
    /** Upper bound on the mean error of the answers since it opened, with a probability of 0.95 at all times. */
    readonly answerBound: number;
    /** The same as a share of all requests. */
    readonly requestBound: number;
    /** Upper bound on the share of wrong answers served since the last reset, for any order and kind of requests. */
    readonly servedBound: number;
    /** The lowest score that is served. */
    readonly minScore: number;
    /** Audits since it opened, and how many of them found a wrong answer. */
    readonly labelled: number;
    readonly wrong: number;
    readonly served: number;
    readonly requests: number;
    /** How often an open budget was exhausted or reset. */
    readonly exhaustions: number;
}

/** Limits the errors of one namespace: decides from which score of the gate on answers are served. */
export interface Budget {
    readonly onRequest: () => void;
    /** Counts an answer that could be served. */
    readonly onCandidate: (score: number) => void;
    /** @param auditShare probability with which the answer could have been audited */
    readonly onServed: (auditShare: number) => void;
    /**
     * Records the label of any answer, whether the gate would have served it or not.
     *
     * @param auditShare if it is an audit: its probability
     */
    readonly learn: (score: number, isWrong: boolean, auditShare?: number) => void;
    /** @returns the lowest score that may be served; Infinity if none may */
    readonly minScore: () => number;
    /** @returns the least probability of an audit: large for the first answers, whose error is least known */
    readonly auditShare: () => number;
    readonly report: () => BudgetReport;
    /**
     * Starts again, because the meaning of "wrong" has changed.
     *
     * @param past earlier answers in the new meaning; an open budget is exhausted if they do not open it again
     */
    readonly reset: (reason: string, past: readonly PastAnswer[]) => void;
    readonly save: () => SavedBudget;
    /** Replaces all labels. The first answers are audited as those of a new budget. */
    readonly restore: (saved: SavedBudget) => void;
}

/** Labels and answers, and what has become of them. */
export interface SavedBudget {
    readonly bins: readonly Omit<Bin, "score">[];
    /** That the bins count. */
    readonly requests: number;
    readonly audits: Tally;
    /** Since "wrong" has its present meaning. */
    readonly served: number;
    readonly servedErrors: SavedServedErrors;
    readonly evidence: Evidence;
    readonly exhaustions: number;
    readonly reason: string;
}

export interface PastAnswer {
    readonly score: number;
    /** Undefined without a label. */
    readonly isWrong: boolean | undefined;
}

export interface BudgetOptions {
    readonly mode: BudgetMode;
    /** δ, in (0, 1). */
    readonly share: number;
    readonly auditShare: number;
    /**
     * Confidence with which the error must be within δ for answers to be served. At 0.95 the published bound
     * itself must be, which takes about twice as many labels as 0.8.
     */
    readonly confidence: number;
    /**
     * `labels` (default): nothing but the labels counts, which takes 115 of them without an error for δ = 2 % and a
     * confidence of 0.8. `prior`: they are weighed with the errors that the scores promise, which takes a tenth, and
     * assumes that signatures tell wordings apart as the upstream does.
     */
    readonly evidence?: Evidence;
}

export type Evidence = "prior" | "labels";

/** Answers with a score in one range, and their labels. */
interface Bin {
    readonly score: number;
    labelled: number;
    wrong: number;
    candidates: number;
}

/** Sums over the bins from a score on. */
type Level = Readonly<Bin>;

/** Probability that a published bound ever fails. */
const ALPHA = 0.05;
/** Scores from which one is chosen, in standard deviations: 3.5 to 0. */
const BIN_WIDTH = 0.25;
const BINS = Array.from({ length: 15 }, (_, at) => 3.5 - BIN_WIDTH * at);
const MIDDLES = BINS.map((score) => score + BIN_WIDTH / 2);
/** Labels that the error of a bin by the calibration counts for. */
const PRIOR_LABELS = 10;
/** False alarms of the change detector: one in this many labels on average, at an error of exactly δ. */
const LABELS_PER_FALSE_ALARM = 2_000;
/** Answers until the probability of an audit has fallen to one half. */
const PROBATION = 10;
/** Factor of the audits until the published bound is within the budget. */
const UNSHOWN_AUDITS = 2;
/** The normal distribution is close to a logistic one of this scale. */
const LOGISTIC_SCALE = 1.702;

/**
 * Counts labels and answers in bins of the score. Answers are served from the lowest score whose error is
 * within the budget. What is labelled depends on the score and on coins only, so that the share of wrong labels
 * of a bin is that of its answers.
 */
export function createBudget(options: BudgetOptions): Budget {
    const { mode, share, auditShare, confidence } = options;
    const detector = createChangeDetector(share, 1 / LABELS_PER_FALSE_ALARM);
    /** The confidence as a number of standard deviations, by the logistic distribution. */
    const deviations = Math.log(confidence / (1 - confidence)) / LOGISTIC_SCALE;
    let { evidence = "labels" } = options;
    let bins = createBins();
    const calibrate = createCalibration(MIDDLES);
    let minScore = Infinity;
    let [served, requests, exhaustions] = [0, 0, 0];
    /** Since "wrong" has its present meaning. */
    let servedSince = 0;
    let servedErrors = createServedErrors();
    /** The same, and since the last detected change. */
    let audits: Tally = NO_AUDITS;
    /** Since the bins are empty, as the candidates that they count. */
    let requestsSince = 0;
    /** Served or audited since the start of the probation. */
    let answers = 0;
    let reason = "too few labels";

    /** Share of the requests that would have been answered. */
    const answerShare = ({ candidates }: Level): number =>
        Math.min(1, candidates / Math.max(1, requestsSince));

    /** Upper bound on the share of the requests that would be answered. */
    function upperAnswerShare({ candidates }: Level): number {
        const tally = { labelled: requestsSince, wrong: candidates };
        return evidence === "labels"
            ? upperErrorBound(tally, 1 - confidence)
            : upperUniformShare(tally, deviations);
    }

    function lowestScore(): number {
        const curves = evidence === "prior" ? calibrate(bins) : [];
        const isWithinBudget = (level: Level, at: number): boolean => {
            // Without an answer, there is no evidence about the answers.
            if (level.candidates === 0) return false;
            const most = mode === "per-hit" ? share : share / upperAnswerShare(level);
            return evidence === "prior"
                ? upperPosteriorError(bins.slice(0, at + 1), curves, deviations) <= most
                : isErrorAtMost(level, most, 1 - confidence);
        };
        return levelsOf(bins).findLast(isWithinBudget)?.score ?? Infinity;
    }

    function servedLevel(): Level {
        return levelsOf(bins).find(({ score }) => score === minScore) ?? NO_LEVEL;
    }

    function forget(): void {
        bins = createBins();
        audits = NO_AUDITS;
        [requestsSince, answers] = [0, 0];
    }

    function close(why: string): void {
        minScore = Infinity;
        reason = why;
        detector.reset();
    }

    return {
        onRequest: () => {
            requests += 1;
            requestsSince += 1;
        },
        onCandidate: (score) => {
            const bin = bins.find((one) => score >= one.score);
            if (bin) bin.candidates += 1;
            if (score >= minScore) answers += 1;
        },
        onServed: (probability) => {
            served += 1;
            servedSince += 1;
            servedErrors.onServed(probability);
        },
        learn: (score, isWrong, probability) => {
            const bin = bins.find((one) => score >= one.score);
            if (!bin) return;
            bin.labelled += 1;
            if (isWrong) bin.wrong += 1;
            const isAudit = probability !== undefined;
            if (isAudit) {
                const { labelled, wrong } = audits;
                audits = { labelled: labelled + 1, wrong: wrong + (isWrong ? 1 : 0) };
                servedErrors.onAudit(probability, isWrong);
            }
            if (isAudit && mode === "per-hit" && detector.learn(isWrong)) {
                // Older labels and the prior describe an error that is not true now.
                forget();
                evidence = "labels";
                exhaustions += 1;
                close("recent audits found more wrong answers than the budget allows");
                return;
            }
            const wasOpen = minScore < Infinity;
            minScore = lowestScore();
            if (minScore < Infinity || !wasOpen) return;
            // With a prior, a few labels open and close it while it learns.
            if (evidence === "labels") exhaustions += 1;
            close("the labels no longer show that the error is within the budget");
        },
        minScore: () => minScore,
        auditShare: () => {
            const factor = mode === "per-hit" ? 1 : answerShare(servedLevel());
            const isShown = isMeanErrorAtMost(audits, share / factor, ALPHA);
            return Math.max(
                isShown ? auditShare : Math.min(1, UNSHOWN_AUDITS * auditShare),
                PROBATION / (PROBATION + answers),
            );
        },
        report: () => {
            const one = servedLevel();
            const answerBound = upperMeanError(audits, ALPHA);
            const isOpen = minScore < Infinity;
            return {
                state: isOpen ? "serving" : exhaustions > 0 ? "exhausted" : "learning",
                reason: isOpen ? undefined : reason,
                answerBound,
                requestBound: answerBound * answerShare(one),
                servedBound: servedSince === 0 ? 0 : servedErrors.upperBound(ALPHA) / servedSince,
                minScore: one.score,
                ...audits,
                served,
                requests,
                exhaustions,
            };
        },
        reset: (why, past) => {
            const wasOpen = minScore < Infinity;
            forget();
            servedSince = 0;
            servedErrors = createServedErrors();
            close(why);
            requestsSince = past.length;
            for (const { score, isWrong } of past) {
                const bin = bins.find((one) => score >= one.score);
                if (!bin) continue;
                bin.candidates += 1;
                if (isWrong === undefined) continue;
                bin.labelled += 1;
                if (isWrong) bin.wrong += 1;
            }
            minScore = lowestScore();
            if (wasOpen && minScore === Infinity) exhaustions += 1;
        },
        save: () => ({
            bins: bins.map(({ labelled, wrong, candidates }) => ({ labelled, wrong, candidates })),
            requests: requestsSince,
            served: servedSince,
            servedErrors: servedErrors.save(),
            ...{ audits, evidence, exhaustions, reason },
        }),
        restore: (saved) => {
            forget();
            detector.reset();
            bins = bins.map((bin, at) => ({ ...bin, ...saved.bins[at] }));
            ({ requests: requestsSince, served: servedSince } = saved);
            ({ audits, evidence, exhaustions, reason } = saved);
            servedErrors = createServedErrors(saved.servedErrors);
            minScore = lowestScore();
        },
    };
}

const NO_AUDITS = { labelled: 0, wrong: 0 };
const NO_LEVEL: Level = { score: Infinity, labelled: 0, wrong: 0, candidates: 0 };

function createBins(): readonly Bin[] {
    return BINS.map((score) => ({ score, labelled: 0, wrong: 0, candidates: 0 }));
}

/** @returns the sums from each score on, the highest score first */
function levelsOf(bins: readonly Bin[]): readonly Level[] {
    let sum = NO_LEVEL;
    return bins.map(({ score, labelled, wrong, candidates }) => {
        sum = {
            score,
            labelled: sum.labelled + labelled,
            wrong: sum.wrong + wrong,
            candidates: sum.candidates + candidates,
        };
        return sum;
    });
}

/** Mean of a share with a uniform prior, plus a number of posterior standard deviations. */
function upperUniformShare({ labelled, wrong }: Tally, deviations: number): number {
    const mean = (wrong + 1) / (labelled + 2);
    return mean + deviations * Math.sqrt((mean * (1 - mean)) / (labelled + 3));
}

/**
 * Mean error of the answers of the first bins, each weighed by its answers, plus a number of posterior standard
 * deviations. The error of a bin has a beta distribution, whose prior mean is that of a curve.
 */
function upperPosteriorError(
    bins: readonly Bin[],
    curves: readonly WeightedCurve[],
    deviations: number,
): number {
    const candidates = bins.reduce((sum, bin) => sum + bin.candidates, 0);
    if (candidates === 0) return 1;
    let [mean, square, variance] = [0, 0, 0];
    for (const { weight, errors } of curves) {
        let own = 0;
        bins.forEach((bin, at) => {
            const labels = PRIOR_LABELS + bin.labelled;
            const error = (PRIOR_LABELS * (errors[at] ?? 1) + bin.wrong) / labels;
            const share = bin.candidates / candidates;
            own += share * error;
            variance += (weight * share * share * error * (1 - error)) / (labels + 1);
        });
        mean += weight * own;
        square += weight * own * own;
    }
    return mean + deviations * Math.sqrt(variance + Math.max(0, square - mean * mean));
}
