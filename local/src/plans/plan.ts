import type { Deployed } from "@property-search/operations/deploy/deploy.ts";
import type { Verified } from "@property-search/operations/deploy/verify.ts";
import type { ListrTask } from "listr2";

/** What every plan ends with. */
export interface Made {
    deployed?: Deployed;
    verified?: Verified;
}

/** How the platform comes up on one kind of cluster. */
export interface Plan<C extends Made> {
    readonly made: C;
    /** All that answering needs. */
    readonly serving: ListrTask<C>[];
    /** What comes after the platform serves: monitoring, and what scales by it. */
    readonly completing: ListrTask<C>[];
    /** How to look further: commands and remarks. */
    readonly look: (made: C) => readonly string[];
    /** The command that ends what was begun. */
    readonly end: string;
}
