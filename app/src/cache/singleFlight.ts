import type { Embedding } from "../vector/embedding.ts";

/** The single in-flight lookup of a key, settled exactly once by the request that started it. */
export interface Flight {
    readonly promise: Promise<Embedding>;
    readonly resolve: (embedding: Embedding) => void;
    readonly reject: (error: unknown) => void;
    /** Start, in milliseconds of `performance.now()`. */
    readonly startedAt: number;
    /** Deadline of the request that started it, in milliseconds of `performance.now()`. */
    readonly deadline: number;
    /** A stale entry, served to requests that cannot wait. */
    stale: Embedding | undefined;
}

/** One lookup per key at a time in this process; later requests wait for the first. */
export interface SingleFlight {
    readonly get: (key: string) => Flight | undefined;
    readonly start: (key: string, deadline: number) => Flight;
}

export function createSingleFlight(): SingleFlight {
    const inFlight = new Map<string, Flight>();
    return {
        get: (key) => inFlight.get(key),
        start: (key, deadline) => {
            const { promise, resolve, reject } = Promise.withResolvers<Embedding>();
            // Avoids an unhandled rejection if no other request waits; the leading request reports the error.
            promise.catch(() => undefined);
            const flight: Flight = {
                promise,
                resolve: (embedding) => {
                    remove();
                    resolve(embedding);
                },
                reject: (error) => {
                    remove();
                    reject(error instanceof Error ? error : new Error(String(error)));
                },
                startedAt: performance.now(),
                deadline,
                stale: undefined,
            };
            inFlight.set(key, flight);
            return flight;

            /** After it has settled, the key may already have another flight. */
            function remove(): void {
                if (inFlight.get(key) === flight) inFlight.delete(key);
            }
        },
    };
}
