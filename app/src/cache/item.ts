import type { CacheStatus } from "@property-search/contract";

import type { Input } from "../input.ts";
import type { Embedding } from "../vector/embedding.ts";

/** An input of a request, with the key of its entry. */
export interface Item {
    readonly key: string;
    readonly input: Input;
}

/** The embedding of an item, and its source. */
export interface ResolvedItem {
    readonly embedding: Embedding;
    readonly status: CacheStatus;
    /** Quality of a vector with the status SEMANTIC. */
    readonly quality?: AnswerQuality | undefined;
    /** Counts the reason of a MISS; to be called when the response has counted the item as one. */
    readonly countReason?: (() => void) | undefined;
}

/** What is known about a vector that was predicted from those of similar texts. */
export interface AnswerQuality {
    /** Cosine of the text to the most similar one, by the local model. */
    readonly similarity: number;
    /** Upper bound on the share of wrong vectors, at a confidence of 0.95. */
    readonly errorBound: number;
}
