/** Estimated weights of the most frequent keys of a stream, in bounded memory. */
export interface Sketch {
    readonly add: (key: string, tenant: string) => void;
    /** Most frequent first. Weights are never overestimated. */
    readonly top: (limit: number) => readonly CountedKey[];
}

export interface CountedKey {
    readonly key: string;
    readonly tenant: string;
    readonly weight: number;
}

interface Counter {
    readonly tenant: string;
    weight: number;
}

/**
 * Keeps up to twice `capacity` counters. When they are exhausted, the weight of the key at rank `capacity` +
 * 1 is subtracted from all counters, and counters at zero are removed. Amortised O(1) per key; any key above
 * 1/capacity of the stream is retained (Anderson et al., "A High-Performance Algorithm for Identifying
 * Frequent Items in Data Streams", arXiv:1705.07001).
 */
export function createSketch(capacity: number): Sketch {
    const counters = new Map<string, Counter>();

    function purge(): void {
        const weights = Float64Array.from(counters.values(), ({ weight }) => weight).sort();
        const excess = weights[weights.length - capacity - 1] ?? 0;
        for (const [key, counter] of counters) {
            if (counter.weight > excess) counter.weight -= excess;
            else counters.delete(key);
        }
    }

    return {
        add: (key, tenant) => {
            const counter = counters.get(key);
            if (counter !== undefined) {
                counter.weight += 1;
                return;
            }
            counters.set(key, { tenant, weight: 1 });
            if (counters.size > 2 * capacity) purge();
        },
        top: (limit) =>
            Array.from(counters, ([key, counter]) => ({ key, ...counter }))
                .sort((a, b) => b.weight - a.weight)
                .slice(0, limit),
    };
}
