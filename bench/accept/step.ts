import type { Cluster } from "../../operations/cluster/connect.ts";
import type { LoadTarget } from "../load/target.ts";
import type { Processes } from "../service/processes/processes.ts";
import type { Finding, StepName } from "./criteria.ts";

export interface StepContext {
    /** Whether each step is as short as it can be. */
    readonly quick: boolean;
    /** The cluster of `make up`. @throws UserError if there is none */
    readonly findPlatform: () => Promise<Platform>;
    readonly processes: Processes;
    readonly report: (line: string) => void;
    readonly showProgress: (line: string) => void;
    readonly signal: AbortSignal;
    /** Writes a file beside the evidence, such as a page with plots. */
    readonly writeText: (name: string, text: string) => void;
}

export interface Platform {
    readonly cluster: Cluster;
    readonly target: LoadTarget;
}

export interface Outcome {
    readonly findings: Readonly<Record<string, Finding>>;
    readonly data: unknown;
}

export interface Step {
    readonly name: StepName;
    /** A sentence for the progress line. */
    readonly title: string;
    /** Expected duration, quick and whole. */
    readonly minutes: readonly [quick: number, whole: number];
    readonly run: (context: StepContext) => Promise<Outcome>;
}

export const percent = (share: number): string => `${(share * 100).toFixed(2)} %`;
