import type { Cluster } from "../cluster/connect.ts";

/** Cluster and helpers of an exercise. */
export interface ExerciseTarget {
    readonly cluster: Cluster;
    readonly stack: string;
    readonly signal: AbortSignal | undefined;
    readonly report: (line: string) => void;
}

/** An exercise of the operators' training course (docs/training.md). */
export interface Exercise {
    readonly title: string;
    /** What a colleague or a client says, after the set-up. */
    readonly situation: string;
    /** Reads the state before the set-up. @returns JSON that the others receive, also in a later process */
    readonly prepare: (target: ExerciseTarget) => Promise<unknown>;
    /** Puts the fault into the cluster, and waits until it shows. */
    readonly setUp: (target: ExerciseTarget, saved: never) => Promise<void>;
    /** @returns what is still wrong, by the state of the cluster; empty if the exercise is solved */
    readonly check: (target: ExerciseTarget, saved: never) => Promise<readonly string[]>;
    /** Restores the state before the set-up; idempotent. */
    readonly reset: (target: ExerciseTarget, saved: never) => Promise<void>;
}
