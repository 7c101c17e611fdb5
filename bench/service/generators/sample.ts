import type { Quantiles } from "../../shared/quantiles.ts";

/** One run of a generator against one target. Latencies in milliseconds. */
export interface Sample {
    /** 2xx answers per second. */
    readonly rate: number;
    readonly latency: Quantiles;
    readonly bytesPerSecond: number;
    /** Requests without a 2xx answer. */
    readonly failed: number;
    /** Processor time of server and generator, each as a share of its one core. */
    readonly serverCore: number;
    readonly generatorCore: number;
    /** p99 of the delay in milliseconds that the generator itself adds before it sends a request. */
    readonly late?: number;
}

/** Input of one run of a generator. */
export interface Load {
    readonly url: URL;
    readonly headers: Readonly<Record<string, string>>;
    /** File with one JSON body per line. */
    readonly bodiesFile: string;
    readonly connections: number;
    readonly seconds: number;
    /** Core of the generator. */
    readonly core: number;
    /** Process id of the leader of the server's process group. */
    readonly server: number;
}
