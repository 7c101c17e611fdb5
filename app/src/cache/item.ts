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
}
