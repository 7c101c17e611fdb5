import { BenchError } from "../../shared/benchError.ts";
import type { Cores } from "../../shared/machine.ts";
import { writeBodies } from "../generators/bodies.ts";
import type { Load } from "../generators/sample.ts";
import type { Peer, Resources, Target } from "../peers/peer.ts";
import type { Service } from "../peers/service/service.ts";
import type { BenchmarkResult } from "../report/result.ts";

/** Shared by all benchmarks of a run. */
export interface BenchmarkContext {
    readonly resources: Omit<Resources, "answer" | "core">;
    readonly cores: Cores;
    readonly signal: AbortSignal;
    readonly showProgress: (line: string) => void;
    /** Whether the peer is installed on this machine. */
    readonly isAvailable: (peer: Peer) => boolean;
}

/** The result of a benchmark; absent parts are empty. */
export type Measurement = Pick<BenchmarkResult, "setting"> &
    Partial<Omit<BenchmarkResult, "id" | "title" | "setting">>;

/** One measurement with its result. */
export interface Benchmark {
    readonly id: string;
    readonly title: string;
    /** Peers that take part where they are available. */
    readonly peers: readonly Peer[];
    readonly run: (context: BenchmarkContext) => Promise<Measurement>;
}

/** Starts the service for a measurement and stops it afterwards. */
export async function withService<Result>(
    service: Service,
    { resources, cores }: BenchmarkContext,
    measure: (target: Target) => Promise<Result>,
): Promise<Result> {
    const target = await service.start({ ...resources, core: cores.server });
    try {
        return await measure(target);
    } finally {
        await target.stop();
    }
}

/** Writes the bodies to a file for a load on a target. */
export function loadOn(
    { url, headers, pid }: Pick<Target, "url" | "headers" | "pid">,
    { resources, cores }: Pick<BenchmarkContext, "resources" | "cores">,
    name: string,
    bodies: readonly string[],
    load: Pick<Load, "connections" | "seconds">,
): Load {
    const bodiesFile = writeBodies(resources.processes.folder, name, bodies);
    return { url, headers, server: pid, core: cores.generator, bodiesFile, ...load };
}

/**
 * Measures a peer. A peer that is missing or broken on this machine does not fail the benchmark.
 *
 * @returns notes for the report: the reason why the peer is left out, if it is
 */
export async function runIfAvailable(
    peer: Peer,
    { isAvailable, signal }: BenchmarkContext,
    measure: () => Promise<void>,
): Promise<string[]> {
    signal.throwIfAborted();
    if (!isAvailable(peer)) return [`without ${peer.name}: it is not installed on this machine`];
    try {
        await measure();
        return [];
    } catch (error) {
        if (!(error instanceof BenchError)) throw error;
        return [`without ${peer.name}: ${error.message}`];
    }
}
