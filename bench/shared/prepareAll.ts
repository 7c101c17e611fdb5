import { BenchError } from "./error.ts";

export interface Prepared<Peer, Ready> {
    readonly ready: readonly (readonly [Peer, Ready])[];
    /** Why each of the others cannot take part on this machine. */
    readonly missing: ReadonlyMap<Peer, string>;
}

/** Prepares each peer, in turn; one that cannot be had on this machine is left out. */
export async function prepareAll<Peer extends { readonly name: string }, Ready>(
    peers: Iterable<Peer>,
    prepare: (peer: Peer) => Promise<Ready>,
): Promise<Prepared<Peer, Ready>> {
    const ready: [Peer, Ready][] = [];
    const missing = new Map<Peer, string>();
    for (const peer of peers) {
        try {
            ready.push([peer, await prepare(peer)]);
        } catch (error) {
            if (!(error instanceof BenchError)) throw error;
            missing.set(peer, `Without ${peer.name}: ${error.message}`);
        }
    }
    return { ready, missing };
}
