/** One run of a generator against one contestant. Latencies in milliseconds. */
export interface Sample {
    /** Answers with 2xx a second. */
    readonly rate: number;
    readonly latency: Latency;
    readonly bytesPerSecond: number;
    /** Answers that were not 2xx, and requests without an answer. */
    readonly failed: number;
    /** Share of its one core that the server, and the generator, had. */
    readonly serverCore: number;
    readonly generatorCore: number;
    /** Milliseconds that an open loop sent a request after it was due by its own fault, p99. */
    readonly late?: number;
}

export interface Latency {
    readonly p50: number;
    readonly p90: number;
    readonly p95: number;
    readonly p99: number;
    readonly p999: number;
    readonly max: number;
}

/** What a run asks of a generator. */
export interface Load {
    readonly url: URL;
    readonly headers: Readonly<Record<string, string>>;
    /** File with one JSON body a line. */
    readonly bodiesFile: string;
    readonly connections: number;
    readonly seconds: number;
    /** Core of the generator. */
    readonly core: number;
    /** Leader of the server's process group. */
    readonly server: number;
}
