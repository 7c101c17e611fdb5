import type { Prediction } from "./record.ts";

/** What the evidence of the latest days suggests for a setting. */
export interface Proposal {
    /** Undefined: to keep the value. */
    readonly to: number | undefined;
    /** One sentence. */
    readonly reason: string;
    readonly prediction: Omit<Prediction, "checkAfter"> | undefined;
}

/** The comparison of a change with its prediction. */
export interface Comparison {
    /** At the demand and prices of the day. */
    readonly figure: number;
    readonly holds: boolean;
    /** One sentence. */
    readonly words: string;
}

/** A change that is compared. */
export interface Change {
    readonly from: number;
    readonly to: number;
    readonly prediction: Prediction;
    /** Values with which entries that exist may have been written. */
    readonly recentValues: readonly number[];
}
