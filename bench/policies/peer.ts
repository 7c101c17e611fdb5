import type { StackPolicies } from "../../policies/engine/config.ts";
import type { Json } from "../../policies/kubernetes/object.ts";

/** What checks manifests: the pack, and others beside it. */
export interface Peer {
    readonly name: string;
    /**
     * Gets it into the cache.
     *
     * @throws BenchError that says why it cannot be had here
     */
    readonly open: (say: Say) => Promise<Checker>;
}

export type Say = (line: string) => void;

export interface Checker {
    /** Empty for what has none. */
    readonly version: string;
    /** How many it asks of Kubernetes objects when nothing is configured. */
    readonly rules: number;
    /** All that it says of objects that are there together. @param policies what their stack sets of the pack */
    readonly check: (
        objects: readonly Json[],
        policies: StackPolicies,
    ) => Promise<readonly Report[]>;
    /** What a person types to check a file, where it has a command. */
    readonly command?: (file: string) => readonly [string, ...string[]];
    /**
     * It takes seconds for a stack, so that it is shown the namespace of what has changed only, without the
     * ConfigMaps beside it, which none of its rules reads.
     */
    readonly isSlow?: boolean;
    readonly close: () => void;
}

export interface Report {
    readonly rule: string;
    /** Object, container and what is said, so that two reports of one place are two. */
    readonly at: string;
    /** It fails the run, and does not only advise. */
    readonly fails: boolean;
}
