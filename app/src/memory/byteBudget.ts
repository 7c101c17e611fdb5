/** Reservation of bytes in a shared budget. */
export interface ByteReservation {
    /**
     * Reserves more bytes, if necessary by evicting the oldest reservations.
     *
     * @returns false if that is not enough; the reservation is then empty
     */
    readonly grow: (bytes: number) => boolean;
    /** Protects the reservation from eviction until its release. */
    readonly pin: () => void;
    readonly release: () => void;
}

export interface ByteBudget {
    /** @param onEvicted called when others need the bytes; the reservation is then empty */
    readonly reserve: (onEvicted: () => void) => ByteReservation;
    readonly reservedBytes: () => number;
}

interface Reservation {
    bytes: number;
    readonly onEvicted: () => void;
}

/**
 * Bounds memory that clients fill at their own pace. The oldest reservation is evicted first: a fast client
 * has finished by then, and one that stalls on purpose has not.
 */
export function createByteBudget(maxBytes: number): ByteBudget {
    /** Reservations that can be evicted, oldest first. */
    const evictable = new Set<Reservation>();
    let reserved = 0;

    function release(reservation: Reservation): void {
        evictable.delete(reservation);
        reserved -= reservation.bytes;
        reservation.bytes = 0;
    }

    function evictFor(grown: Reservation): void {
        for (const reservation of evictable) {
            if (reserved <= maxBytes) return;
            if (reservation === grown) continue;
            release(reservation);
            reservation.onEvicted();
        }
    }

    return {
        reservedBytes: () => reserved,
        reserve: (onEvicted) => {
            const reservation = { bytes: 0, onEvicted };
            evictable.add(reservation);
            return {
                grow: (bytes) => {
                    reservation.bytes += bytes;
                    reserved += bytes;
                    if (reserved > maxBytes) evictFor(reservation);
                    if (reserved <= maxBytes) return true;
                    release(reservation);
                    return false;
                },
                pin: () => void evictable.delete(reservation),
                release: () => release(reservation),
            };
        },
    };
}
