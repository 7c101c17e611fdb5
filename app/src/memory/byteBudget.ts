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
    /**
     * @param onEvicted called when others need the bytes; the reservation is then empty
     * @param owner holds at most a share of the bytes; undefined: any bytes that are free
     */
    readonly reserve: (onEvicted: () => void, owner?: string) => ByteReservation;
    readonly reservedBytes: () => number;
}

interface Reservation {
    bytes: number;
    readonly onEvicted: () => void;
    readonly owner: string | undefined;
}

/** Sums of the reservations of one owner. */
interface Holding {
    bytes: number;
    pinnedBytes: number;
}

/**
 * Largest share of an owner in the bytes that others have not pinned. What is left is for owners who come later: one
 * that pins all bytes would shut them out (dynamic thresholds: Choudhury and Hahne, IEEE/ACM ToN 6(2), 1998).
 */
const MAX_SHARE = 7 / 8;

/**
 * Bounds memory that clients fill at their own pace. The oldest reservation is evicted first: a fast client
 * has finished by then, and one that stalls on purpose has not.
 */
export function createByteBudget(maxBytes: number): ByteBudget {
    /** Reservations that can be evicted, oldest first. */
    const evictable = new Set<Reservation>();
    /** By owner, for owners with reservations. */
    const holdings = new Map<string, Holding>();
    let reserved = 0;
    let pinned = 0;

    function add(reservation: Reservation, bytes: number): void {
        reservation.bytes += bytes;
        reserved += bytes;
        count(reservation, "bytes", bytes);
        if (!evictable.has(reservation)) addPinned(reservation, bytes);
    }

    function addPinned(reservation: Reservation, bytes: number): void {
        pinned += bytes;
        count(reservation, "pinnedBytes", bytes);
    }

    function count({ owner }: Reservation, kind: keyof Holding, bytes: number): void {
        if (owner === undefined) return;
        const holding = holdings.get(owner) ?? { bytes: 0, pinnedBytes: 0 };
        holding[kind] += bytes;
        if (holding.bytes === 0 && holding.pinnedBytes === 0) holdings.delete(owner);
        else holdings.set(owner, holding);
    }

    function pin(reservation: Reservation): void {
        if (evictable.delete(reservation)) addPinned(reservation, reservation.bytes);
    }

    function release(reservation: Reservation): void {
        add(reservation, -reservation.bytes);
        evictable.delete(reservation);
    }

    function exceedsShare({ owner }: Reservation): boolean {
        const holding = owner === undefined ? undefined : holdings.get(owner);
        if (!holding) return false;
        return holding.bytes > MAX_SHARE * (maxBytes - pinned + holding.pinnedBytes);
    }

    /** @returns whether the reservation fits, after the eviction of older ones */
    function fits(grown: Reservation): boolean {
        for (const one of evictable) {
            const isOverShare = exceedsShare(grown);
            if (reserved <= maxBytes && !isOverShare) return true;
            if (one === grown || (isOverShare && one.owner !== grown.owner)) continue;
            release(one);
            one.onEvicted();
        }
        return reserved <= maxBytes && !exceedsShare(grown);
    }

    return {
        reservedBytes: () => reserved,
        reserve: (onEvicted, owner) => {
            const reservation = { bytes: 0, onEvicted, owner };
            evictable.add(reservation);
            return {
                grow: (bytes) => {
                    add(reservation, bytes);
                    // A reservation that shrinks is never rejected.
                    if (bytes <= 0 || fits(reservation)) return true;
                    release(reservation);
                    return false;
                },
                pin: () => pin(reservation),
                release: () => release(reservation),
            };
        },
    };
}
