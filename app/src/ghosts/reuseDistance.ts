/** Distances between requests for the same key, in distinct keys. */
export interface ReuseDistances {
    /**
     * Records a request.
     *
     * @returns distinct keys since the last request for this key, without itself; Infinity if it is not among the latest
     * `maxKeys`
     */
    readonly record: (key: string) => number;
    /** Number of keys that it knows. */
    readonly size: () => number;
}

/**
 * Each key has the slot of its last request; a Fenwick tree counts the slots that are in use. O(log maxKeys) per request.
 * Memory: about 150 bytes per key. The paper's variant of fixed size samples fewer keys as more are seen; in a service, whose
 * keys never end, its sample would shrink for ever. This one forgets the keys that no local cache could still have.
 */
export function createReuseDistances(maxKeys: number): ReuseDistances {
    const slots = 2 * maxKeys;
    const tree = new Int32Array(slots + 1);
    const keys: (string | undefined)[] = new Array<undefined>(slots).fill(undefined);
    const slotOf = new Map<string, number>();
    let next = 0;
    let oldest = 0;

    function add(slot: number, difference: number): void {
        for (let at = slot + 1; at <= slots; at += at & -at)
            tree[at] = (tree[at] ?? 0) + difference;
    }

    /** Keys whose last request is in this slot or an earlier one. */
    function countUntil(slot: number): number {
        let count = 0;
        for (let at = slot + 1; at > 0; at -= at & -at) count += tree[at] ?? 0;
        return count;
    }

    function release(slot: number): void {
        keys[slot] = undefined;
        add(slot, -1);
    }

    function forgetOldest(): void {
        while (keys[oldest] === undefined) oldest += 1;
        slotOf.delete(keys[oldest] ?? "");
        release(oldest);
    }

    /** Moves all keys to the first slots, in order. */
    function compact(): void {
        let to = 0;
        for (let from = 0; from < slots; from += 1) {
            const key = keys[from];
            if (key === undefined) continue;
            keys[from] = undefined;
            keys[to] = key;
            slotOf.set(key, to);
            to += 1;
        }
        tree.fill(0);
        for (let slot = 0; slot < to; slot += 1) add(slot, 1);
        next = to;
        oldest = 0;
    }

    return {
        record: (key) => {
            const slot = slotOf.get(key);
            if (slot === next - 1) return 0;
            let distance = Infinity;
            if (slot !== undefined) {
                distance = slotOf.size - countUntil(slot);
                release(slot);
            } else if (slotOf.size === maxKeys) forgetOldest();
            if (next === slots) compact();
            slotOf.set(key, next);
            keys[next] = key;
            add(next, 1);
            next += 1;
            return distance;
        },
        size: () => slotOf.size,
    };
}
