/** Texts of one model run: their indexes in the call, shortest first. */
export type Batch = readonly number[];

/** Runs are short, so that a single query waits for one run instead of a whole import. */
const MAX_TEXTS = 16;
/** Characters of a run including padding; about 1,000 tokens. */
const MAX_PADDED_CHARACTERS = 4_096;

/**
 * Groups texts of similar length: a run is as wide as its longest text, and shorter texts are padded.
 *
 * @returns every index exactly once
 */
export function batchByLength(texts: readonly string[]): readonly Batch[] {
    const places = texts.map((_, place) => place);
    const length = (place: number): number => texts[place]?.length ?? 0;
    places.sort((a, b) => length(a) - length(b));
    const batches: number[][] = [];
    let open: number[] = [];
    for (const place of places) {
        const padded = (open.length + 1) * length(place);
        if (open.length > 0 && (open.length >= MAX_TEXTS || padded > MAX_PADDED_CHARACTERS)) {
            batches.push(open);
            open = [];
        }
        open.push(place);
    }
    if (open.length > 0) batches.push(open);
    return batches;
}
