/** Reservation of bytes in a shared budget. */
export interface ByteHold {
    /**
     * Reserves more bytes, if necessary by evicting the oldest reservations.
     *
     * @returns false if that is not enough; the reservation is then empty
     */
    readonly grow: (bytes: number) => boolean;
    /** Protects the reservation from eviction until its release. */
    readonly keep: () => void;
    readonly release: () => void;
}

export interface ByteBudget {
    /** @param onEvicted called when others need the bytes; the reservation is then empty */
    readonly open: (onEvicted: () => void) => ByteHold;
    readonly held: () => number;
}

interface Holder {
    bytes: number;
    readonly onEvicted: () => void;
}

/**
 * Bounds memory that clients fill at their own pace. The oldest reservation is evicted first: a fast client
 * has finished by then, and one that stalls on purpose has not.
 */
export function byteBudget(maxBytes: number): ByteBudget {
    /** Reservations that can be evicted, oldest first. */
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
