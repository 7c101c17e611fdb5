import { BenchError } from "../../shared/error.ts";
import type { Cores } from "../../shared/machine.ts";
import type { Ground, Peer } from "../peers/peer.ts";
import type { Finding } from "../report/finding.ts";

/** What every trial of a run shares. */
export interface Bench {
    readonly ground: Omit<Ground, "answer" | "core">;
    readonly cores: Cores;
    readonly signal: AbortSignal;
    readonly say: (line: string) => void;
    /** Whether a peer could be had on this machine. */
    readonly has: (peer: Peer) => boolean;
}

/** One question with its answer in figures. */
export interface Trial {
    readonly id: string;
    readonly title: string;
    /** Peers that take part where they can be had. */
    readonly peers: readonly Peer[];
    readonly run: (bench: Bench) => Promise<Finding>;
}

/**
 * Lets a peer take part, or tells why it does not: one that is missing or broken here says nothing
 * about the others.
 *
 * @returns what is to be noted, if anything.
 */
export async function invite(
    peer: Peer,
    { has, signal }: Bench,
    takePart: () => Promise<void>,
): Promise<string[]> {
    signal.throwIfAborted();
    if (!has(peer)) return [`without ${peer.name}: it could not be installed here`];
    try {
        await takePart();
        return [];
    } catch (error) {
        if (!(error instanceof BenchError)) throw error;
        return [`without ${peer.name}: ${error.message}`];
    }
}
