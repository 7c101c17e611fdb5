import { setTimeout as delay } from "node:timers/promises";
import type { Dataset, Listing, Poi } from "./data/generate.ts";
import type { Embed } from "./embeddings.ts";

/** A listing or a point of interest with the vector of its text. */
export interface Embedded<T> {
    readonly item: T;
    readonly vector: Float32Array;
}

/** The listings and points of interest, whose vectors come after the start. */
export interface Catalogue {
    readonly listings: readonly Listing[];
    readonly findListing: (id: string) => Listing | undefined;
    /** Undefined until `load` has ended. */
    readonly vectors: () => CatalogueVectors | undefined;
    /** Embeds all texts, with retries until it succeeds or the signal aborts. */
    readonly load: (signal: AbortSignal) => Promise<void>;
}

export interface CatalogueVectors {
    readonly listings: readonly Embedded<Listing>[];
    readonly pois: readonly Embedded<Poi>[];
}

export interface CatalogueArgs {
    readonly dataset: Dataset;
    readonly embed: Embed;
    readonly print: (line: string) => void;
    /** First pause after a failure, which doubles with each further one. */
    readonly retryMilliseconds?: number;
}

const BATCH = 32;
const RETRY_MILLISECONDS = 250;
const MAX_RETRY_MILLISECONDS = 5_000;

export function createCatalogue({ dataset, print, ...args }: CatalogueArgs): Catalogue {
    const byId = new Map(dataset.listings.map((listing) => [listing.id, listing]));
    let vectors: CatalogueVectors | undefined;
    return {
        listings: dataset.listings,
        findListing: (id) => byId.get(id),
        vectors: () => vectors,
        load: async (signal) => {
            const begin = performance.now();
            const listings = await embedAll(dataset.listings, textOfListing, signal);
            const pois = await embedAll(dataset.pois, textOfPoi, signal);
            vectors = { listings, pois };
            const seconds = ((performance.now() - begin) / 1000).toFixed(1);
            const counts = `${listings.length} listings and ${pois.length} points of interest`;
            print(`Ready: ${counts} embedded in ${seconds} s`);
        },
    };

    async function embedAll<T>(
        items: readonly T[],
        textOf: (item: T) => string,
        signal: AbortSignal,
    ): Promise<readonly Embedded<T>[]> {
        const embedded: Embedded<T>[] = [];
        for (let begin = 0; begin < items.length; begin += BATCH) {
            const batch = items.slice(begin, begin + BATCH);
            const ours = await embedBatch(batch.map(textOf), signal);
            embedded.push(
                ...batch.flatMap((item, at) => {
                    const vector = ours[at];
                    return vector ? [{ item, vector }] : [];
                }),
            );
        }
        return embedded;
    }

    async function embedBatch(
        texts: readonly string[],
        signal: AbortSignal,
    ): Promise<readonly Float32Array[]> {
        let pause = args.retryMilliseconds ?? RETRY_MILLISECONDS;
        let lastReason = "";
        for (;;) {
            signal.throwIfAborted();
            try {
                return (await args.embed("listings", texts)).vectors;
            } catch (error) {
                const reason = error instanceof Error ? error.message : String(error);
                if (reason !== lastReason) print(`Not ready: ${reason}`);
                lastReason = reason;
            }
            // Pods that start together do not call together.
            await delay(pause * (0.5 + Math.random() / 2), undefined, { signal });
            pause = Math.min(2 * pause, MAX_RETRY_MILLISECONDS);
        }
    }
}

export function textOfListing({ title, description }: Listing): string {
    return `${title}. ${description}`;
}

function textOfPoi({ name, kind, description }: Poi): string {
    return `${name}, ${kind}. ${description}`;
}
