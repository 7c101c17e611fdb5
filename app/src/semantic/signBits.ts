import { createBitDistances, DISTANCE_WORDS } from "./bitDistances.ts";

/**
 * Signatures as one bit for each number: its sign. Two signatures at an angle α differ in a share of about α/π of
 * their bits (Charikar, Similarity Estimation Techniques from Rounding Algorithms, STOC 2002), so that the nearest
 * ones are found among those with the fewest differences, with 64 numbers in one operation.
 */
export interface SignBits {
    readonly set: (place: number, signature: Float32Array, from?: number) => void;
    readonly move: (from: number, to: number) => void;
    /** @returns the places with the fewest differing bits among the first `size`: at least `count`, and those as near */
    readonly nearest: (signature: Float32Array, size: number, count: number) => Int32Array;
}

const BITS_PER_WORD = 32;
const BITS_AT_ONCE = 64;
const WORD_BYTES = 4;
const GROWTH = 1.5;

export function createSignBits(dimensions: number): SignBits {
    const bitWords = Math.ceil(dimensions / BITS_AT_ONCE) * (BITS_AT_ONCE / BITS_PER_WORD);
    const recordWords = bitWords + DISTANCE_WORDS;
    const counts = new Int32Array(dimensions + 1);
    // The query comes first, and the records follow it.
    const { words, reserve, measure } = createBitDistances();
    reserve(bitWords);

    function addressOf(place: number): number {
        return bitWords + place * recordWords;
    }

    function write(at: number, signature: Float32Array, from: number): void {
        const target = words();
        for (let word = 0; word < bitWords; word += 1) {
            let bits = 0;
            const first = word * BITS_PER_WORD;
            const end = Math.min(first + BITS_PER_WORD, dimensions);
            for (let number = first; number < end; number += 1)
                bits = (bits << 1) | ((signature[from + number] ?? 0) > 0 ? 1 : 0);
            target[at + word] = bits;
        }
    }

    /** @returns the largest distance of the `count` nearest places, and the number of places within it */
    function findLimit(size: number, count: number): { limit: number; within: number } {
        const measured = words();
        counts.fill(0);
        const end = addressOf(size);
        for (let at = bitWords + bitWords; at < end; at += recordWords) {
            const distance = measured[at] ?? 0;
            counts[distance] = (counts[distance] ?? 0) + 1;
        }
        let limit = 0;
        let within = counts[0] ?? 0;
        while (within < count && limit < dimensions) {
            limit += 1;
            within += counts[limit] ?? 0;
        }
        return { limit, within };
    }

    return {
        set: (place, signature, from = 0) => {
            const needed = addressOf(place + 1);
            if (needed > words().length) reserve(Math.ceil(needed * GROWTH));
            write(addressOf(place), signature, from);
        },
        move: (from, to) => {
            words().copyWithin(addressOf(to), addressOf(from), addressOf(from) + bitWords);
        },
        nearest: (signature, size, count) => {
            if (size === 0) return new Int32Array();
            write(0, signature, 0);
            const [first, end] = [addressOf(0) * WORD_BYTES, addressOf(size) * WORD_BYTES];
            measure(0, first, bitWords * WORD_BYTES, end);
            const { limit, within } = findLimit(size, count);
            const places = new Int32Array(within);
            const measured = words();
            let found = 0;
            for (let place = 0, at = bitWords + bitWords; place < size; place += 1) {
                if ((measured[at] ?? 0) <= limit) places[found++] = place;
                at += recordWords;
            }
            return places;
        },
    };
}
