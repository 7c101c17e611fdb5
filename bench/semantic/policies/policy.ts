import type { Corpus, Found, Place } from "../corpus.ts";
import type { Random } from "../../shared/random.ts";

/** A request for a text that has not been paid for. */
export interface Miss {
    readonly place: Place;
    /** Paid texts, nearest first, at most 16. */
    readonly near: readonly Found[];
    /** Number of paid texts. */
    readonly paid: number;
}

/** Decides whether a miss is answered from other texts. */
export interface Policy {
    /** Counts a request that was paid for before. */
    readonly onExact?: () => void;
    /** @returns the answer, or undefined to pay for the text */
    readonly answer: (miss: Miss) => Float32Array | undefined;
    /** The text was paid for. Called after `answer` for the same miss returned undefined. */
    readonly learn?: (miss: Miss) => void;
    /** Whether the last miss could have been answered, and is paid for as a sample. */
    readonly isAudit?: () => boolean;
    /** Bounds at the end, as shares. */
    readonly bounds?: () => { readonly answers: number; readonly served: number };
    /** The ρ in force. */
    readonly minCosine?: () => number;
}

export interface PolicyContext {
    readonly corpus: Corpus;
    /** ρ; undefined: calibrated from overlap@10. */
    readonly minCosine: number | undefined;
    /** δ. */
    readonly budget: number;
    readonly random: Random;
}

export type CreatePolicy = (context: PolicyContext) => Policy;
