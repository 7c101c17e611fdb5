import type { Processes, Running } from "../processes/processes.ts";

/** What a peer may use to start on. */
export interface Ground {
    readonly processes: Processes;
    /** Core of the servers that are measured. */
    readonly core: number;
    /** Base of the one upstream, with its version path. */
    readonly upstream: URL;
    /** A real Redis of this run. */
    readonly redis: URL;
    /** The service's own answer to the first request, out of its cache. */
    readonly answer: Buffer;
}

/** Something that answers OpenAI's embeddings contract and can be measured. */
export interface Peer {
    readonly name: string;
    /** One line for the report's legend. */
    readonly what: string;
    /** Sends the same bytes whatever it is asked for, so that nothing about them can be checked. */
    readonly blind?: true;
    /** Distinct requests that it is measured with, when its cache holds fewer than the workload has. */
    readonly holds?: number;
    /** Installs what is missing. @throws BenchError with the reason, and then it is left out. */
    readonly prepare: (say: (line: string) => void) => Promise<void>;
    readonly start: (ground: Ground) => Promise<Contestant>;
}

/** A peer that answers. */
export interface Contestant extends Pick<Running, "pid" | "ended" | "stop"> {
    /** Of its embeddings route. */
    readonly url: URL;
    readonly headers: Readonly<Record<string, string>>;
    readonly version: string;
}
