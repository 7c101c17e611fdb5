import type { Embedding } from "../vector/embedding.ts";

export type FlightOutcome = Embedding | Error;

/** The single in-flight lookup of a key, settled exactly once by the request that started it. */
export class Flight {
    /** In milliseconds of `performance.now()`. */
    readonly startedAt = performance.now();
    /** Deadline of the request that started it, in milliseconds of `performance.now()`. */
    readonly deadline: number;
    /** A stale entry, served to requests that cannot wait. */
    stale: Embedding | undefined;
    readonly #key: string;
    readonly #inFlight: Map<string, Flight>;
    readonly #listeners: ((outcome: FlightOutcome) => void)[] = [];
    #outcome: FlightOutcome | undefined;

    constructor(key: string, deadline: number, inFlight: Map<string, Flight>) {
        this.#key = key;
        this.deadline = deadline;
        this.#inFlight = inFlight;
        inFlight.set(key, this);
    }

    resolve(embedding: Embedding): void {
        this.#settle(embedding);
    }

    reject(error: unknown): void {
        this.#settle(error instanceof Error ? error : new Error(String(error)));
    }

    /** Calls back in the turn in which the flight settles; a promise for each text of a batch takes longer. */
    onSettled(listener: (outcome: FlightOutcome) => void): void {
        if (this.#outcome) listener(this.#outcome);
        else this.#listeners.push(listener);
    }

    #settle(outcome: FlightOutcome): void {
        if (this.#outcome) return;
        this.#outcome = outcome;
        // Removed first: a listener may start another flight.
        this.#inFlight.delete(this.#key);
        for (const listener of this.#listeners) listener(outcome);
    }
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
        start: (key, deadline) => new Flight(key, deadline, inFlight),
    };
}
