import type { StackPolicies } from "../../policies/engine/config.ts";
import type { Json } from "../../policies/kubernetes/object.ts";

/** A checker of manifests that is compared: the pack or another tool. */
export interface Peer {
    readonly name: string;
    /**
     * Installs and starts it.
     *
     * @throws BenchError with the reason if it is not available on this machine
     */
    readonly start: (showProgress: ShowProgress) => Promise<Checker>;
}

export type ShowProgress = (line: string) => void;

export interface Checker {
    /** Empty if it has none. */
    readonly version: string;
    /** Number of rules for Kubernetes objects in its default configuration. */
    readonly rules: number;
    /** Checks the objects of a stack. @param policies the stack's configuration of the pack */
    readonly check: (
        objects: readonly Json[],
        policies: StackPolicies,
    ) => Promise<readonly Report[]>;
    /** The command that checks a file, if it has one. */
    readonly command?: (file: string) => readonly [string, ...string[]];
    /**
     * It takes seconds for a stack, so it checks only the namespace of the changed object, without the other
     * ConfigMaps, which none of its rules reads.
     */
    readonly isSlow?: boolean;
    readonly close: () => void;
}

export interface Report {
    readonly rule: string;
    /** Object, container and message, to tell two reports on one place apart. */
    readonly at: string;
    /** It fails the run; otherwise it is advice. */
    readonly fails: boolean;
}
