import type { Embedding } from "../vector/embedding.ts";

/** What leads a key: settled exactly once, by whoever began it. */
export interface Flight {
    readonly landed: Promise<Embedding>;
    readonly land: (embedding: Embedding) => void;
    readonly fail: (error: unknown) => void;
    /** Both in milliseconds of `performance.now()`. */
    readonly begunAt: number;
    /** Of who began it. */
    readonly deadline: number;
    /** A copy that is past its time, for those who cannot wait. */
    stale: Embedding | undefined;
}

/** One look-up a key at a time in this process: who comes later waits for the first. */
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
            // Nobody may wait for it, and then its failure is told by who began it.
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

            /** After it has landed, the key may already lead another flight. */
            function close(): void {
                if (open.get(key) === flight) open.delete(key);
            }
        },
    };
}
