import { BenchError } from "../../shared/benchError.ts";
import type { Cores } from "../../shared/machine.ts";
import type { Resources, Peer } from "../peers/peer.ts";
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

/** One measurement with its result. */
export interface Benchmark {
    readonly id: string;
    readonly title: string;
    /** Peers that take part where they are available. */
    readonly peers: readonly Peer[];
    readonly run: (context: BenchmarkContext) => Promise<BenchmarkResult>;
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
