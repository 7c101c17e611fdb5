/** Bytes that something holds of what all may hold together. */
export interface ByteHold {
    /**
     * Takes more of the budget, where needed from the oldest holds that can be evicted.
     *
     * @returns false where that is not enough: then it holds nothing any more
     */
    readonly grow: (bytes: number) => boolean;
    /** From now on it keeps what it has until it is released. */
    readonly keep: () => void;
    readonly release: () => void;
}

export interface ByteBudget {
    /** @param onEvicted called when others need its bytes; it then holds nothing any more */
    readonly open: (onEvicted: () => void) => ByteHold;
    readonly held: () => number;
}

interface Holder {
    bytes: number;
    readonly onEvicted: () => void;
}

/**
 * Bounds a memory that clients fill at their own pace. The holder that began first is evicted first: a
 * client that sends fast has then long finished, and one that holds on purpose has not.
 */
export function byteBudget(maxBytes: number): ByteBudget {
    /** Those that can be evicted, oldest first. */
    const evictable = new Set<Holder>();
    let held = 0;

    function release(holder: Holder): void {
        evictable.delete(holder);
        held -= holder.bytes;
        holder.bytes = 0;
    }

    function evictFor(grown: Holder): void {
        for (const holder of evictable) {
            if (held <= maxBytes) return;
            if (holder === grown) continue;
            release(holder);
            holder.onEvicted();
        }
    }

    return {
        held: () => held,
        open: (onEvicted) => {
            const holder = { bytes: 0, onEvicted };
            evictable.add(holder);
            return {
                grow: (bytes) => {
                    holder.bytes += bytes;
                    held += bytes;
                    if (held > maxBytes) evictFor(holder);
                    if (held <= maxBytes) return true;
                    release(holder);
                    return false;
                },
                keep: () => void evictable.delete(holder),
                release: () => release(holder),
            };
        },
    };
}
