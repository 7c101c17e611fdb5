import type { Cluster } from "../cluster/connect.ts";
import type { AlertWatch } from "./alerts.ts";
import type { Figure } from "./evidence.ts";
import type { Traffic } from "./traffic.ts";

/** What a rehearsal, and putting back after it, can use. */
export interface RehearsalTarget {
    readonly cluster: Cluster;
    readonly stack: string;
    /** Variables of make that select the cluster: `CONTEXT=…`, or none for the local one. */
    readonly contextWords: readonly string[];
    /** Aborted by Ctrl-C; never while putting back. */
    readonly signal: AbortSignal | undefined;
    /** Folder for files that this rehearsal needs, removed at its end. */
    readonly folder: string;
    /** Runs a command of the repository as a step. @throws UserError with its last lines if it fails */
    readonly make: (does: string, words: readonly string[]) => Promise<string>;
    /** Performs and times a step. */
    readonly step: <T>(does: string, action: () => Promise<T>) => Promise<T>;
}

export interface RehearsalContext extends RehearsalTarget {
    /** Whether alerts with a long `for` are awaited only as pending. */
    readonly quick: boolean;
    readonly traffic: Traffic;
    readonly alerts: AlertWatch;
    /** Saves state for `putBack` before a change that precedes the fault. */
    readonly save: (saved: unknown) => Promise<void>;
    /**
     * Marks the time of the fault, after some seconds of undisturbed traffic, and saves the state before it.
     *
     * @param saved JSON that `putBack` receives, also in a later process
     * @returns time of the fault in milliseconds since the epoch
     */
    readonly beginFault: (saved: unknown) => Promise<number>;
    /**
     * Waits until an alert fires. A quick run only waits until it is pending if its `for` is long.
     *
     * @param delaySeconds time until its condition can hold. Default: 0
     */
    readonly expectAlert: (alert: string, delaySeconds?: number) => Promise<void>;
    /** Waits until each expected alert has ended. */
    readonly expectResolved: (seconds: number) => Promise<void>;
    /** Waits for a condition. @returns seconds that it took */
    readonly waitFor: (
        condition: string,
        check: () => Promise<boolean> | boolean,
        seconds: number,
    ) => Promise<number>;
    readonly figure: (figure: Figure) => void;
    /** A measured value without a goal. */
    readonly measure: (name: string, unit: string, value: number) => void;
}

/** One rehearsed incident or task. */
export interface Rehearsal {
    readonly name: string;
    /** One sentence: what is shown. */
    readonly purpose: string;
    readonly precondition: string;
    /** Expected duration on the local cluster, in seconds: a whole and a quick run. */
    readonly duration: { readonly whole: number; readonly quick: number };
    /** Whether it only works on, or is only safe for, the cluster of `make up`. */
    readonly localOnly?: boolean;
    /** Whether requests fail until it is repaired, so that their number has no goal. Default: none may fail */
    readonly isOutage?: boolean;
    /** Alerts that it provokes. */
    readonly alerts: readonly string[];
    /** Requests per second. Default: 10 */
    readonly perSecond?: number;
    /** @returns why it does not apply to this cluster; undefined if it does */
    readonly inapplicable?: (target: RehearsalTarget) => Promise<string | undefined>;
    readonly run: (context: RehearsalContext) => Promise<void>;
    /** Restores the state before the fault; idempotent, and correct after any part of `run`. */
    readonly putBack: (target: RehearsalTarget, saved: never) => Promise<void>;
}
