import type { Log } from "../../log.ts";
import type { Load } from "./fairQueue.ts";

/** Maximum size of an upstream call, as configured and as learned from responses. */
export interface CallSizes {
    readonly current: () => Load;
    /** A call of this size succeeded. */
    readonly onAnswered: (size: Load, milliseconds: number) => void;
    /** A call timed out: the next calls are half as large, until calls are fast again. */
    readonly onTimeout: (size: Load, milliseconds: number) => void;
    /** A call was rejected and both of its halves succeeded; this is the size of the larger half. */
    readonly onHalvesAnswered: (size: Load) => void;
    /** The upstream rejects larger calls than this. Applies until the process ends. */
    readonly learnLimit: (size: Partial<Load>) => void;
}

export interface CallSizeOptions {
    readonly items: number;
    readonly bytes: number;
    /** If a full call is faster than this, the next calls may be larger. */
    readonly fastMilliseconds: number;
    readonly log: Log;
}

/** The call size is halved after a timeout, and grows by this factor after fast calls. */
const GROWTH = 1.5;
/** A single rejection may have had another cause. */
const EVIDENCE = 2;

export function callSizes({ items, bytes, fastMilliseconds, log }: CallSizeOptions): CallSizes {
    const limit = { items, bytes };
    /** Inputs per call that the upstream processes in time. */
    let fast = items;
    /** Sizes at which halves of rejected calls succeeded. */
    let evidence: number[] = [];

    return {
        current: () => ({ items: Math.min(fast, limit.items), bytes: limit.bytes }),
        onAnswered: (size, milliseconds) => {
            if (evidence.some((answered) => size.items > answered)) evidence = [];
            if (size.items < fast || milliseconds > fastMilliseconds) return;
            fast = Math.min(items, Math.ceil(fast * GROWTH));
        },
        onTimeout: (size, milliseconds) => {
            // The deadline of the request was too short, not the call too large.
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
        log.info({ ...limit }, "The upstream rejects larger calls");
    }
}
