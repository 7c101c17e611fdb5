import { MODEL, NATIVE_DIMENSIONS } from "./upstream/vectors.ts";

export type Encoding = "base64" | "float";

/** Shape of the requests of a benchmark. */
export interface Workload {
    readonly dimensions: number;
    readonly encoding: Encoding;
    /** Texts per request. */
    readonly items: number;
    /** Number of distinct requests, sent in rotation. */
    readonly bodies: number;
}

/** Distinct texts if there are no more bodies: they fit into the service's cache of default size. */
const TEXTS = 1_024;
/** Consecutive batches share most texts but are never equal. */
const STRIDE = 16;

/** A JSON body with its texts, to check the answer. */
export interface RequestBody {
    readonly texts: readonly string[];
    readonly json: string;
}

export function requestBodies(workload: Workload): readonly RequestBody[] {
    const stride = workload.items === 1 ? 1 : STRIDE;
    const distinct = Math.max(TEXTS, workload.bodies);
    return Array.from({ length: workload.bodies }, (_, body) => {
        const first = body * stride;
        const texts = Array.from({ length: workload.items }, (_, at) =>
            listingText((first + at) % distinct),
        );
        return { texts, json: requestJson(texts, workload) };
    });
}

/** @returns a body like that of OpenAI's client, with a plain string for a single text */
export function requestJson(
    texts: readonly string[],
    { encoding, dimensions }: Pick<Workload, "encoding" | "dimensions">,
): string {
    return JSON.stringify({
        model: MODEL,
        input: texts.length === 1 ? texts[0] : texts,
        encoding_format: encoding,
        ...(dimensions === NATIVE_DIMENSIONS ? {} : { dimensions }),
    });
}

const ROOMS = ["one", "two", "three", "four"] as const;
const HOMES = ["flat", "house", "maisonette", "studio", "cottage"] as const;
const PLACES = ["the park", "the station", "a school", "the river", "the old town"] as const;

/** About 80 characters, the length of a search or of the first line of a listing. */
export function listingText(index: number): string {
    const rooms = ROOMS[index % ROOMS.length] ?? "";
    const home = HOMES[index % HOMES.length] ?? "";
    const place = PLACES[(index >> 2) % PLACES.length] ?? "";
    const size = 30 + ((index * 7) % 170);
    return `${home} with ${rooms} bedrooms near ${place}, ${size} square metres, quiet, listing ${index}`;
}
