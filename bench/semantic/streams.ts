import type { Corpus, Place } from "./corpus.ts";
import { pick, shuffle } from "./random.ts";
import type { Random } from "../shared/random.ts";
import { createZipf } from "../shared/zipf.ts";

export const STREAMS = ["once", "zipf-cold", "zipf-warm"] as const;
export type StreamName = (typeof STREAMS)[number];

/** Requests in order; those before `measureFrom` only fill the cache. */
export interface Stream {
    readonly requests: readonly Place[];
    readonly measureFrom: number;
}

/**
 * Popularity is simulated: no query log is available. An intent is drawn by Zipf's law (s = 1), then one of its
 * wordings uniformly. `once` has every text once, in random order.
 */
export function createStream(
    name: StreamName,
    corpus: Corpus,
    requests: number,
    random: Random,
): Stream {
    const places = Array.from({ length: corpus.size }, (_, place) => place);
    if (name === "once")
        return { requests: shuffle(random, places).slice(0, requests), measureFrom: 0 };
    const groups = shuffle(random, [...Map.groupBy(places, corpus.intent).values()]);
    const draw = createZipf(groups.length, random);
    const sample = (count: number): Place[] =>
        Array.from({ length: count }, () => pick(random, groups[draw()] ?? []));
    const measureFrom = name === "zipf-warm" ? requests : 0;
    return { requests: sample(measureFrom + requests), measureFrom };
}
