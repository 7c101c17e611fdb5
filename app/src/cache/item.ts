import type { CacheStatus } from "@property-search/contract";

import type { Input } from "../input.ts";
import type { Embedding } from "../vector/embedding.ts";

/** One input of a request, with the key that its vector is kept under. */
export interface Item {
    readonly key: string;
    readonly input: Input;
}

/** What an item got, and where it came from. */
export interface Resolved {
    readonly embedding: Embedding;
    readonly status: CacheStatus;
}
