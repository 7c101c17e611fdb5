import { createSignatureBlock } from "./signatureBlock.ts";
import { createSignBits } from "./signBits.ts";

/** A stored item and the cosine of its signature to the query's. */
export interface Near<T> {
    readonly key: string;
    readonly entry: T;
    readonly similarity: number;
    /** A copy. */
    readonly signature: Float32Array<ArrayBuffer>;
}

/** Items by their signatures; the one that was set or used least recently is replaced when the index is full. */
export interface NeighbourIndex<T> {
    /** Replaces the item of the same key. @param signature of length 1 @param usableUntil default: for ever */
    readonly set: (key: string, signature: Float32Array, entry: T, usableUntil?: number) => void;
    readonly remove: (key: string) => boolean;
    /** @returns undefined if there is none, or if it has expired */
    readonly get: (key: string, now?: number) => T | undefined;
    /** Counts as a use of the item. */
    readonly touch: (key: string) => void;
    readonly keys: () => Iterable<string>;
    /** Removes the expired ones of the next `places` items: each is reached after some calls. */
    readonly removeExpired: (now: number, places: number) => void;
    /** @returns at most `count` items that have not expired, the most similar first; removes expired ones it compared */
    readonly search: (signature: Float32Array, count: number, now?: number) => readonly Near<T>[];
    readonly size: () => number;
}

/** For each item that leaves the index, is replaced or has expired. @param signature a copy */
export type OnRemoved<T> = (key: string, entry: T, signature: Float32Array<ArrayBuffer>) => void;

/** Up to this many items, each is compared in full. */
const FULL_SEARCH_ITEMS = 4_096;
/** In a larger index, as many items are compared in full as the signs of their signatures find nearest. */
const RESCORED_ITEMS = 1_024;

/**
 * All signatures are one block of memory (signatureBlock.ts). A large index is searched by
 * the signs of the numbers first (signBits.ts): at 384 dimensions, 48 instead of 1,536 bytes are read for each item.
 */
export function createNeighbourIndex<T>(
    dimensions: number,
    capacity: number,
    onRemoved?: OnRemoved<T>,
): NeighbourIndex<T> {
    const block = createSignatureBlock(dimensions);
    const signs = createSignBits(dimensions);
    /** Items and keys by place; places are filled without gaps. */
    const entries: T[] = [];
    const keys: string[] = [];
    const usableUntil: number[] = [];
    let nextPlace = 0;
    /** The least recently used first. */
    const places = new Map<string, number>();

    function reportRemoval(place: number): void {
        const [key, entry] = [keys[place], entries[place]];
        if (onRemoved && key !== undefined && entry !== undefined)
            onRemoved(key, entry, block.get(place));
    }

    function put(
        place: number,
        key: string,
        signature: Float32Array,
        entry: T,
        until: number,
    ): void {
        block.set(place, signature);
        signs.set(place, signature);
        entries[place] = entry;
        keys[place] = key;
        usableUntil[place] = until;
        places.delete(key);
        places.set(key, place);
    }

    function remove(key: string): boolean {
        const place = places.get(key);
        if (place === undefined) return false;
        reportRemoval(place);
        const last = entries.length - 1;
        const [lastKey, lastEntry, lastUntil] = [keys[last], entries[last], untilOf(last)];
        places.delete(key);
        for (const list of [keys, entries, usableUntil]) list.length = last;
        if (place === last || lastKey === undefined || lastEntry === undefined) return true;
        block.move(last, place);
        signs.move(last, place);
        entries[place] = lastEntry;
        keys[place] = lastKey;
        usableUntil[place] = lastUntil;
        // An existing key keeps its position in the order of use.
        places.set(lastKey, place);
        return true;
    }

    function untilOf(place: number): number {
        return usableUntil[place] ?? -Infinity;
    }

    return {
        set: (key, signature, entry, until = Infinity) => {
            const own = places.get(key);
            if (own === undefined && entries.length >= capacity) {
                const oldest = places.keys().next().value;
                if (oldest !== undefined) remove(oldest);
            }
            if (own !== undefined) reportRemoval(own);
            put(own ?? entries.length, key, signature, entry, until);
        },
        remove,
        get: (key, now = -Infinity) => {
            const place = places.get(key);
            return place === undefined || untilOf(place) <= now ? undefined : entries[place];
        },
        touch: (key) => {
            const place = places.get(key);
            if (place === undefined) return;
            places.delete(key);
            places.set(key, place);
        },
        keys: () => places.keys(),
        removeExpired: (now, count) => {
            for (let left = Math.min(count, entries.length); left > 0; left -= 1) {
                if (nextPlace >= entries.length) nextPlace = 0;
                // The last item takes the place of a removed one, and is the next to be examined.
                if (untilOf(nextPlace) > now) nextPlace += 1;
                else remove(keys[nextPlace] ?? "");
            }
        },
        search: (signature, count, now = -Infinity) => {
            const size = entries.length;
            block.setQuery(signature);
            const rescored = Math.max(count, RESCORED_ITEMS);
            const chosen =
                size > FULL_SEARCH_ITEMS ? signs.nearest(signature, size, rescored) : undefined;
            const best: { place: number; similarity: number }[] = [];
            const expired: string[] = [];
            let least = -Infinity;
            for (let at = 0; at < (chosen?.length ?? size); at += 1) {
                const place = chosen?.[at] ?? at;
                if (untilOf(place) <= now) {
                    expired.push(keys[place] ?? "");
                    continue;
                }
                const similarity = block.similarity(place);
                if (similarity <= least && best.length === count) continue;
                let rank = best.length;
                while (rank > 0 && (best[rank - 1]?.similarity ?? 0) < similarity) rank -= 1;
                best.splice(rank, 0, { place, similarity });
                if (best.length > count) best.pop();
                least = best.at(-1)?.similarity ?? -Infinity;
            }
            const near = best.flatMap(({ place, similarity }) => {
                const [key, entry] = [keys[place], entries[place]];
                if (key === undefined || entry === undefined) return [];
                return [{ key, entry, similarity, signature: block.get(place) }];
            });
            // Only now, because a removal moves another item.
            for (const key of expired) remove(key);
            return near;
        },
        size: () => entries.length,
    };
}
