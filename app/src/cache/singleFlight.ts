import type { Embedding } from "../vector/embedding.ts";

/** The single in-flight lookup of a key, settled exactly once by the request that started it. */
export interface Flight {
    readonly landed: Promise<Embedding>;
    readonly land: (embedding: Embedding) => void;
    readonly fail: (error: unknown) => void;
    /** Start, in milliseconds of `performance.now()`. */
    readonly begunAt: number;
    /** Deadline of the request that started it, in milliseconds of `performance.now()`. */
    readonly deadline: number;
    /** A stale entry, served to requests that cannot wait. */
    stale: Embedding | undefined;
}

/** One lookup per key at a time in this process; later requests wait for the first. */
export interface Flights {
    readonly of: (key: string) => Flight | undefined;
    readonly begin: (key: string, deadline: number) => Flight;
}

export function flights(): Flights {
    const open = new Map<string, Flight>();
    return {
        of: (key) => open.get(key),
        begin: (key, deadline) => {
            const { promise, resolve, reject } = Promise.withResolvers<Embedding>();
            // Avoids an unhandled rejection if no other request waits; the leading request reports the error.
            promise.catch(() => undefined);
            const flight: Flight = {
                landed: promise,
                land: (embedding) => {
                    close();
                    resolve(embedding);
                },
                fail: (error) => {
                    close();
                    reject(error instanceof Error ? error : new Error(String(error)));
                },
                begunAt: performance.now(),
                deadline,
                stale: undefined,
            };
            open.set(key, flight);
            return flight;

            /** After it has settled, the key may already have another flight. */
            function close(): void {
                if (open.get(key) === flight) open.delete(key);
            }
        },
    };
}
