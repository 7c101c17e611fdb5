import { ARMS, type Arm } from "@property-search/contract";
import { compare, sampleRatioT, type Difference } from "./difference.ts";

/** What Prometheus counted for one block of an experiment's texts. */
export interface BlockCounts {
    readonly arm: Arm;
    readonly hits: number;
    readonly misses: number;
    readonly tokens: number;
}

export interface Counts {
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
    /** Tokens bought per block. Decides: a cache is there to save them. */
    readonly tokensPerBlock: Difference | undefined;
}

/** Welch's t of the sample ratio, beyond which the assignment or its metrics must be broken. */
const MAX_SAMPLE_RATIO_T = 3.5;
const MAX_P99_RATIO = 1.1;
const LIKELY_HIT_RATE = 0.02;
/** Of the control's tokens per lookup. */
const LIKELY_SAVING = 0.05;

/** Decides an experiment: sample ratio first, then guardrails, then the tokens that each arm had to buy. */
export function analyze({ blocks, p99, semantic }: Counts): Analysis {
    const lookupsOf = ({ hits, misses }: BlockCounts) => hits + misses;
    const sums = blocks.map((one) => ({ ...one, lookups: lookupsOf(one) }));
    const control = sums.filter(({ arm }) => arm === "control");
    const total = (some: typeof sums, of: "lookups" | "tokens") =>
        some.reduce((all, one) => all + one[of], 0);
    const lookups = {
        control: total(control, "lookups"),
        treatment: total(sums, "lookups") - total(control, "lookups"),
    };
    const isKnown = lookups.control > 0 && lookups.treatment > 0;
    const figures = {
        lookups,
        sampleRatioT: sampleRatioT(sums),
        hitRate: compare(
            sums.map((one) => ({ arm: one.arm, sum: one.hits, weight: one.lookups })),
            LIKELY_HIT_RATE,
        ),
        // Blocks are of equal size. Per lookup, the few texts with most requests would decide.
        tokensPerBlock: isKnown
            ? compare(
                  sums.map((one) => ({ arm: one.arm, sum: one.tokens, weight: 1 })),
                  (LIKELY_SAVING * total(control, "tokens")) / control.length,
              )
            : undefined,
    };
    return { ...figures, ...decide(figures, p99, semantic) };
}

function decide(
    { lookups, sampleRatioT, tokensPerBlock, hitRate }: Omit<Analysis, "decision" | "verdict">,
    p99: Counts["p99"],
    semantic: Counts["semantic"],
): Pick<Analysis, "decision" | "verdict"> {
    if (!tokensPerBlock || !hitRate) {
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
    const { low, high } = relative(tokensPerBlock);
    const range = `${formatPercent(low)} to ${formatPercent(high)} tokens`;
    if (high < 0 && semantic && !isWithinBudget(semantic)) {
        const { errorBound, errorBudget } = semantic;
        const bound = errorBound === undefined ? "unknown" : formatShare(errorBound);
        return {
            decision: "undecided",
            verdict: `Undecided: the treatment buys less (${range}), but its error bound is ${bound}; allowed: ${formatShare(errorBudget)}.`,
        };
    }
    if (high < 0)
        return { decision: "adopt", verdict: `Adopt the treatment: it buys less (${range}).` };
    if (low > 0)
        return { decision: "reject", verdict: `Reject the treatment: it buys more (${range}).` };
    return {
        decision: "undecided",
        verdict: `Undecided: no difference is certain yet (${range}).`,
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
