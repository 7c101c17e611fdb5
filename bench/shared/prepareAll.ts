import { BenchError } from "./benchError.ts";

export interface Prepared<Peer, Ready> {
    readonly ready: readonly (readonly [Peer, Ready])[];
    /** The reason for each peer that is not available on this machine. */
    readonly missing: ReadonlyMap<Peer, string>;
}

/** Prepares the peers one by one and leaves out those that this machine cannot run. */
export async function prepareAll<Peer extends { readonly name: string }, Ready>(
    peers: Iterable<Peer>,
    install: (peer: Peer) => Promise<Ready>,
): Promise<Prepared<Peer, Ready>> {
    const ready: [Peer, Ready][] = [];
    const missing = new Map<Peer, string>();
    for (const peer of peers) {
        try {
            ready.push([peer, await install(peer)]);
        } catch (error) {
            if (!(error instanceof BenchError)) throw error;
            missing.set(peer, `Without ${peer.name}: ${error.message}`);
        }
    }
    return { ready, missing };
}
