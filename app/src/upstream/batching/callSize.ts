import type { Log } from "../../log.ts";
import type { InputSize } from "../inputSize.ts";

/** Maximum size of an upstream call, as configured and as learned from responses. */
export interface CallSizes {
    readonly current: () => InputSize;
    /** A call of this size succeeded. */
    readonly onSuccess: (size: InputSize, milliseconds: number) => void;
    /** A call timed out: the next calls are half as large, until calls are fast again. */
    readonly onTimeout: (size: InputSize, milliseconds: number) => void;
    /** A call was rejected and both of its halves succeeded; this is the size of the larger half. */
    readonly onHalvesSucceeded: (size: InputSize) => void;
    /** The upstream rejects larger calls than this. Applies until the process ends. */
    readonly learnLimit: (size: Partial<InputSize>) => void;
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
const REQUIRED_EVIDENCE = 2;

export function createCallSizes({
    items,
    bytes,
    fastMilliseconds,
    log,
}: CallSizeOptions): CallSizes {
    const limit = { items, bytes };
    /** Inputs per call that the upstream processes in time. */
    let fastItems = items;
    /** Sizes at which halves of rejected calls succeeded. */
    let evidence: number[] = [];

    return {
        current: () => ({ items: Math.min(fastItems, limit.items), bytes: limit.bytes }),
        onSuccess: (size, milliseconds) => {
            if (evidence.some((succeeded) => size.items > succeeded)) evidence = [];
            if (size.items < fastItems || milliseconds > fastMilliseconds) return;
            fastItems = Math.min(items, Math.ceil(fastItems * GROWTH));
        },
        onTimeout: (size, milliseconds) => {
            // The deadline of the request was too short, not the call too large.
            if (milliseconds <= fastMilliseconds) return;
            fastItems = Math.max(1, Math.min(fastItems, Math.floor(size.items / 2)));
        },
        onHalvesSucceeded: (size) => {
            evidence.push(size.items);
            if (evidence.length >= REQUIRED_EVIDENCE) learnLimit({ items: Math.max(...evidence) });
        },
        learnLimit,
    };

    function learnLimit(size: Partial<InputSize>): void {
        const before = { ...limit };
        limit.items = Math.max(1, Math.min(limit.items, size.items ?? Infinity));
        limit.bytes = Math.max(1, Math.min(limit.bytes, size.bytes ?? Infinity));
        if (limit.items === before.items && limit.bytes === before.bytes) return;
        log.info({ ...limit }, "The upstream rejects larger calls");
    }
}
