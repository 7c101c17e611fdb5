/** Estimates how often keys were requested recently, in bounded memory. */
export interface FrequencySketch {
    readonly record: (key: string) => void;
    /** Between 0 and 15; never underestimated between two halvings. */
    readonly estimate: (key: string) => number;
    /** Makes room for a larger cache. A smaller one keeps the counts. */
    readonly resize: (maxEntries: number) => void;
}

const ROWS = 4;
const MAX_COUNT = 15;
const LEAST_ENTRIES = 64;
/** Fewer would mix up keys that share counts. */
const COUNTS_PER_ENTRY = 4;
/** Requests per entry of the cache after which all counts are halved, so that old popularity fades. */
const PERIOD_PER_ENTRY = 10;
/** Keys are digests: this many characters tell them apart. */
const HASHED_CHARACTERS = 16;

/**
 * A count-min sketch with halving, as TinyLFU uses it to decide what a full cache admits (Einziger et al.,
 * "TinyLFU: A Highly Efficient Cache Admission Policy", arXiv:1512.00727). 16 to 32 bytes per entry of the cache.
 *
 * @param entries in the cache now
 */
export function createFrequencySketch(maxEntries: number, entries: () => number): FrequencySketch {
    let width = widthFor(maxEntries);
    let counts = new Uint8Array(ROWS * width);
    let recorded = 0;

    function estimate(key: string): number {
        const hash = hashOf(key);
        let least = MAX_COUNT;
        for (let row = 0; row < ROWS; row += 1) {
            least = Math.min(least, counts[slot(hash, row)] ?? 0);
        }
        return least;
    }

    function slot(hash: number, row: number): number {
        // Double hashing: Kirsch and Mitzenmacher, "Less Hashing, Same Performance".
        return row * width + ((hash + Math.imul(row, (hash >>> 15) | 1)) & (width - 1));
    }

    return {
        record: (key) => {
            const hash = hashOf(key);
            for (let row = 0; row < ROWS; row += 1) {
                const at = slot(hash, row);
                const count = counts[at] ?? 0;
                if (count < MAX_COUNT) counts[at] = count + 1;
            }
            recorded += 1;
            if (recorded < PERIOD_PER_ENTRY * Math.max(LEAST_ENTRIES, entries())) return;
            recorded = 0;
            for (let at = 0; at < counts.length; at += 1) counts[at] = (counts[at] ?? 0) >> 1;
        },
        estimate,
        resize: (entries) => {
            const wider = widthFor(entries);
            if (wider <= width) return;
            // A key's slot in a wider row is its old one plus a multiple of the old width, so that copies never
            // underestimate it.
            const copies = new Uint8Array(ROWS * wider);
            for (let at = 0; at < copies.length; at += width) {
                const row = Math.floor(at / wider) * width;
                copies.set(counts.subarray(row, row + width), at);
            }
            width = wider;
            counts = copies;
        },
    };
}

function widthFor(maxEntries: number): number {
    return 2 ** Math.ceil(Math.log2(COUNTS_PER_ENTRY * Math.max(LEAST_ENTRIES, maxEntries)));
}

/** FNV-1a. */
function hashOf(key: string): number {
    let hash = 0x811c9dc5;
    const length = Math.min(key.length, HASHED_CHARACTERS);
    for (let at = 0; at < length; at += 1) {
        hash = Math.imul(hash ^ key.charCodeAt(at), 0x01000193);
    }
    // The low bits of a product depend on the low bits of its factors only.
    return (hash ^ (hash >>> 16)) | 0;
}
