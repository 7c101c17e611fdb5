import type { Log } from "../log.ts";
import type { Load } from "./queue.ts";

/** How large a call of the upstream may be, as configured and as learned from its answers. */
export interface CallSizes {
    readonly current: () => Load;
    /** A call of this size was answered after so long. */
    readonly onAnswered: (size: Load, milliseconds: number) => void;
    /** A call was not answered in time: the next ones are half as large, until calls are fast again. */
    readonly onTimeout: (size: Load, milliseconds: number) => void;
    /** A call was refused, and both its halves, of which this is the larger one, were answered. */
    readonly onHalvesAnswered: (size: Load) => void;
    /** The upstream takes no larger calls than this one. Holds until the process ends. */
    readonly learnLimit: (size: Partial<Load>) => void;
}

export interface CallSizeOptions {
    readonly items: number;
    readonly bytes: number;
    /** A full call that is answered faster lets the next ones be larger again. */
    readonly fastMilliseconds: number;
    readonly log: Log;
}

/** Calls shrink by half when one takes too long, and grow again by half as much. */
const GROWTH = 1.5;
/** One refusal may have had another cause. */
const EVIDENCE = 2;

export function callSizes({ items, bytes, fastMilliseconds, log }: CallSizeOptions): CallSizes {
    const limit = { items, bytes };
    /** Inputs a call that the upstream works off in time. */
    let fast = items;
    /** Sizes at which refused calls were answered. */
    let evidence: number[] = [];

    return {
        current: () => ({ items: Math.min(fast, limit.items), bytes: limit.bytes }),
        onAnswered: (size, milliseconds) => {
            if (evidence.some((answered) => size.items > answered)) evidence = [];
            if (size.items < fast || milliseconds > fastMilliseconds) return;
            fast = Math.min(items, Math.ceil(fast * GROWTH));
        },
        onTimeout: (size, milliseconds) => {
            // It was the request that had no more time.
            if (milliseconds <= fastMilliseconds) return;
            fast = Math.max(1, Math.min(fast, Math.floor(size.items / 2)));
        },
        onHalvesAnswered: (size) => {
            evidence.push(size.items);
            if (evidence.length >= EVIDENCE) learnLimit({ items: Math.max(...evidence) });
        },
        learnLimit,
    };

    function learnLimit(size: Partial<Load>): void {
        const before = { ...limit };
        limit.items = Math.max(1, Math.min(limit.items, size.items ?? Infinity));
        limit.bytes = Math.max(1, Math.min(limit.bytes, size.bytes ?? Infinity));
        if (limit.items === before.items && limit.bytes === before.bytes) return;
        log.info({ ...limit }, "The upstream takes no larger calls");
    }
}
