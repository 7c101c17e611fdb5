import { ARMS, type Arm, type Unit } from "@property-search/contract";
import { compare, sampleRatioT, type BlockSums, type Difference } from "./difference.ts";

/** What Prometheus counted for one block of an experiment's units. */
export interface BlockCounts {
    readonly arm: Arm;
    readonly hits: number;
    readonly misses: number;
    readonly tokens: number;
    /** What users said of results; 0 with unit text. */
    readonly relevant: number;
    readonly irrelevant: number;
}

export interface Counts {
    readonly unit: Unit;
    readonly blocks: readonly BlockCounts[];
    /** Seconds; undefined: unknown. */
    readonly p99: Readonly<Record<Arm, number | undefined>>;
    /** Undefined: no arm has semantic answers. */
    readonly semantic: SemanticCounts | undefined;
}

/** Semantic answers of an experiment, and their error in the whole service. Shares are in [0, 1]. */
export interface SemanticCounts {
    readonly answers: Readonly<Record<Arm, number>>;
    /** The largest published bound of a pod that serves answers; undefined: no pod does. */
    readonly errorBound: number | undefined;
    readonly errorBudget: number;
    /** Tenants of pods whose budget is exhausted now. */
    readonly exhausted: number;
}

export type Decision = "broken" | "unknown" | "stop" | "adopt" | "reject" | "undecided";

export interface Analysis {
    readonly decision: Decision;
    /** One sentence with the figures that decided. */
    readonly verdict: string;
    readonly lookups: Readonly<Record<Arm, number>>;
    readonly sampleRatioT: number;
    readonly hitRate: Difference | undefined;
    /** With unit text per block, which decides: a cache is there to save them. With unit user per lookup. */
    readonly tokens: Difference | undefined;
    /** Share of relevant results in the verdicts, which decides with unit user. */
    readonly relevance: Difference | undefined;
}

/** Welch's t of the sample ratio, beyond which the assignment or its metrics must be broken. */
const MAX_SAMPLE_RATIO_T = 3.5;
const MAX_P99_RATIO = 1.1;
const LIKELY_HIT_RATE = 0.02;
/** Of the control's tokens. */
const LIKELY_SAVING = 0.05;
const LIKELY_RELEVANCE = 0.02;
/** Of each arm. */
const MIN_VERDICTS = 100;
/** By which the share of relevant results of an adopted treatment may be lower. */
const MAX_RELEVANCE_LOSS = 0.02;

type Figures = Omit<Analysis, "decision" | "verdict">;

/** Decides an experiment: sample ratio first, then guardrails, then what its unit can show. */
export function analyze({ unit, blocks, p99, semantic }: Counts): Analysis {
    const arms = ARMS.map((arm) => blocks.filter((one) => one.arm === arm));
    const [control = 0, treatment = 0] = arms.map((some) =>
        some.reduce((all, one) => all + lookupsOf(one), 0),
    );
    const lookups = { control, treatment };
    const isKnown = control > 0 && treatment > 0;
    const figures: Figures = {
        lookups,
        sampleRatioT: sampleRatioT(
            blocks.map((one) => ({ arm: one.arm, lookups: lookupsOf(one) })),
        ),
        ...(unit === "user" ? compareUsers(blocks) : compareTexts(blocks, isKnown)),
    };
    return {
        ...figures,
        ...(decideByGuardrails(figures, p99, semantic) ??
            (unit === "user"
                ? decideByUsers(figures, semantic)
                : decideByTexts(figures, semantic))),
    };
}

export const lookupsOf = ({ hits, misses }: BlockCounts): number => hits + misses;
const verdictsOf = ({ relevant, irrelevant }: BlockCounts): number => relevant + irrelevant;

type Comparisons = Pick<Analysis, "hitRate" | "tokens" | "relevance">;

function compareTexts(blocks: readonly BlockCounts[], isKnown: boolean): Comparisons {
    const control = blocks.filter(({ arm }) => arm === "control");
    const tokens = control.reduce((all, one) => all + one.tokens, 0);
    return {
        hitRate: compare(
            blocks.map((one) => ({ arm: one.arm, sum: one.hits, weight: lookupsOf(one) })),
            LIKELY_HIT_RATE,
        ),
        // Blocks are of equal size. Per lookup, the few texts with most requests would decide.
        tokens: isKnown
            ? compare(
                  blocks.map((one) => ({ arm: one.arm, sum: one.tokens, weight: 1 })),
                  (LIKELY_SAVING * tokens) / control.length,
              )
            : undefined,
        relevance: undefined,
    };
}

/**
 * Each block has its own rate, and all blocks count the same: a few users have most requests, so that the largest block
 * would otherwise decide.
 */
function compareUsers(blocks: readonly BlockCounts[]): Comparisons {
    const ratesOf = (
        sumOf: (one: BlockCounts) => number,
        weightOf: (one: BlockCounts) => number,
    ): readonly BlockSums[] =>
        blocks
            .filter((one) => weightOf(one) > 0)
            .map((one) => ({ arm: one.arm, sum: sumOf(one) / weightOf(one), weight: 1 }));
    const tokens = ratesOf((one) => one.tokens, lookupsOf);
    const control = tokens.filter(({ arm }) => arm === "control");
    const mean = control.reduce((all, { sum }) => all + sum, 0) / control.length;
    const verdicts = ARMS.map((arm) => {
        const own = blocks.filter((one) => one.arm === arm);
        const relevant = own.reduce((all, one) => all + one.relevant, 0);
        return { relevant, all: own.reduce((all, one) => all + verdictsOf(one), 0) };
    });
    return {
        hitRate: compare(
            ratesOf(({ hits }) => hits, lookupsOf),
            LIKELY_HIT_RATE,
        ),
        tokens: compare(tokens, LIKELY_SAVING * mean),
        relevance: verdicts.every(({ all }) => all >= MIN_VERDICTS)
            ? compare(
                  ratesOf(({ relevant }) => relevant, verdictsOf),
                  LIKELY_RELEVANCE,
                  // Of a binomial share (Agresti and Coull, 1998).
                  verdicts.reduce((sum, { relevant, all }) => {
                      const share = (relevant + 2) / (all + 4);
                      return sum + (share * (1 - share)) / all;
                  }, 0),
              )
            : undefined,
    };
}

type Verdict = Pick<Analysis, "decision" | "verdict">;

/** @returns undefined if nothing forbids a verdict */
function decideByGuardrails(
    { lookups, sampleRatioT, tokens, hitRate }: Figures,
    p99: Counts["p99"],
    semantic: Counts["semantic"],
): Verdict | undefined {
    if (!tokens || !hitRate) {
        const words = ARMS.map((arm) => `${arm} has ${Math.round(lookups[arm])} lookups`);
        return { decision: "unknown", verdict: `Nothing to compare yet: ${words.join(", ")}.` };
    }
    if (Math.abs(sampleRatioT) > MAX_SAMPLE_RATIO_T) {
        const more = sampleRatioT > 0 ? "more" : "fewer";
        return {
            decision: "broken",
            verdict: `No verdict: the treatment's blocks have ${more} lookups than chance allows (t = ${sampleRatioT.toFixed(1)}; allowed: ± ${MAX_SAMPLE_RATIO_T}), so the assignment or its metrics are broken.`,
        };
    }
    const { control, treatment } = p99;
    if (control !== undefined && treatment !== undefined && treatment > MAX_P99_RATIO * control) {
        return {
            decision: "stop",
            verdict: `Stop the treatment: its p99 is ${milliseconds(treatment)}, the control's ${milliseconds(control)}; allowed: ${MAX_P99_RATIO} times as much.`,
        };
    }
    if (semantic && semantic.exhausted > 0) {
        return {
            decision: "stop",
            verdict: `Stop the treatment: its error budget of ${formatShare(semantic.errorBudget)} is exhausted for ${semantic.exhausted} tenants of pods.`,
        };
    }
    return undefined;
}

function decideByTexts({ tokens }: Figures, semantic: Counts["semantic"]): Verdict {
    const { low, high } = tokens ? relative(tokens) : { low: NaN, high: NaN };
    const range = `${formatPercent(low)} to ${formatPercent(high)} tokens`;
    if (high < 0 && semantic && !isWithinBudget(semantic))
        return waitForBound(`buys less (${range})`, semantic);
    if (high < 0)
        return { decision: "adopt", verdict: `Adopt the treatment: it buys less (${range}).` };
    if (low > 0)
        return { decision: "reject", verdict: `Reject the treatment: it buys more (${range}).` };
    return {
        decision: "undecided",
        verdict: `Undecided: no difference is certain yet (${range}).`,
    };
}

/**
 * Arms of users share entries, so that each arm has hits that the other paid for. What a user receives is the arm's
 * own, and decides.
 */
function decideByUsers({ relevance }: Figures, semantic: Counts["semantic"]): Verdict {
    if (!relevance) {
        return {
            decision: "undecided",
            verdict: `Undecided: each arm needs ${MIN_VERDICTS} verdicts of users (POST /v1/feedback with user), because arms of users share entries, and tokens cannot decide.`,
        };
    }
    const { low, high } = relevance;
    const range = `${formatPoints(low)} to ${formatPoints(high)}`;
    if (high < 0) {
        return {
            decision: "stop",
            verdict: `Stop the treatment: its users find fewer results relevant (${range}).`,
        };
    }
    const allowed = `allowed: ${formatPoints(-MAX_RELEVANCE_LOSS)}`;
    if (low < -MAX_RELEVANCE_LOSS) {
        return {
            decision: "undecided",
            verdict: `Undecided: the treatment's users may find fewer results relevant (${range}; ${allowed}).`,
        };
    }
    if (semantic && !isWithinBudget(semantic))
        return waitForBound(`does not harm its users (${range} relevant)`, semantic);
    return {
        decision: "adopt",
        verdict: `Adopt the treatment if it saves: its users find as many results relevant (${range}; ${allowed}). What it saves is measured with unit text.`,
    };
}

function waitForBound(merit: string, { errorBound, errorBudget }: SemanticCounts): Verdict {
    const bound = errorBound === undefined ? "unknown" : formatShare(errorBound);
    return {
        decision: "undecided",
        verdict: `Undecided: the treatment ${merit}, but its error bound is ${bound}; allowed: ${formatShare(errorBudget)}.`,
    };
}

function isWithinBudget({ errorBound, errorBudget }: SemanticCounts): boolean {
    return errorBound !== undefined && errorBound <= errorBudget;
}

/** A difference in parts of the control's mean. */
export function relative({ means, estimate, low, high }: Difference): Omit<Difference, "means"> {
    const { control } = means;
    return { estimate: estimate / control, low: low / control, high: high / control };
}

export const formatPercent = (share: number): string => signed(share * 100, "%");
export const formatPoints = (share: number): string => signed(share * 100, "points");
export const formatShare = (share: number): string => `${(share * 100).toFixed(1)} %`;
export const milliseconds = (seconds: number): string => `${(seconds * 1_000).toPrecision(3)} ms`;

function signed(value: number, unit: string): string {
    return `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(1)} ${unit}`;
}
