import type { Processes, RunningProcess } from "../processes/processes.ts";

/** Everything that a peer needs to start. */
export interface Resources {
    readonly processes: Processes;
    /** Core of the measured servers. */
    readonly core: number;
    /** Base URL of the shared upstream, with its version path. */
    readonly upstream: URL;
    /** A real Redis of this run. */
    readonly redis: URL;
    /** The service's cached answer to the first request. */
    readonly answer: Buffer;
}

/** A server with OpenAI's embeddings API that is compared with the service. */
export interface Peer {
    readonly name: string;
    /** One line for the legend of the report. */
    readonly description: string;
    /** It sends the same bytes to every request, so its answers cannot be checked. */
    readonly sendsFixedBytes?: true;
    /** Number of distinct requests to measure with, if its cache is smaller than the workload. */
    readonly maxEntries?: number;
    /** Installs it if necessary. @throws BenchError with the reason, which leaves the peer out */
    readonly install: (showProgress: (line: string) => void) => Promise<void>;
    readonly start: (resources: Resources) => Promise<Target>;
}

/** A running peer that receives load. */
export interface Target extends Pick<RunningProcess, "pid" | "hasEnded" | "stop"> {
    /** URL of its embeddings route. */
    readonly url: URL;
    readonly headers: Readonly<Record<string, string>>;
    readonly version: string;
}
