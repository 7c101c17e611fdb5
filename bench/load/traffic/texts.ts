import { AREAS, FEATURES, PLACES } from "../../semantic/data/london.ts";
import { createPropertyQueries } from "../../semantic/data/propertyQueries.ts";
import { pick, shuffle } from "../../semantic/random.ts";
import { seededRandom, type Random } from "../../shared/random.ts";
import { createZipf } from "../../shared/zipf.ts";

/** The texts of a property search, each list from the most popular to the least. */
export interface Corpus {
    /** Descriptions of listings, about 60 tokens each. */
    readonly listings: readonly string[];
    /** What people look for near a listing, about 5 tokens each. */
    readonly queries: readonly string[];
    /** Questions to the chat, about 12 tokens each. */
    readonly questions: readonly string[];
}

const SENTENCES = [
    "The kitchen was refitted two years ago and opens onto a bright dining area.",
    "Large sash windows face south and the main bedroom has built-in wardrobes.",
    "A quiet street close to shops, cafés and two bus routes.",
    "The building has a concierge, a bicycle store and a shared roof terrace.",
    "Freshly painted throughout, with oak floors and new double glazing.",
    "The long garden has a shed and gets the sun until the evening.",
    "Chain free, with a lease of more than one hundred years.",
    "Council tax band D; service charge reviewed each spring.",
    "Utility room, loft with planning permission, and gas central heating.",
    "Within the catchment of two primary schools rated good.",
    "Period features such as cornices and a working fireplace remain.",
    "A secure parking space can be rented separately.",
] as const;

const KINDS = [
    ["flat", "apartment", "maisonette", "studio"],
    ["terraced house", "cottage", "mews house"],
].flat();

const QUALIFIERS = [
    "",
    "quiet",
    "good",
    "open on Sunday",
    "for children",
    "cheap",
    "large",
] as const;

export interface CorpusSizes {
    readonly listings: number;
    readonly queries: number;
    readonly questions: number;
}

/**
 * Generates texts of a property search in London: the same ones for the same seed. Texts are distinct in each list.
 *
 * @param sizes how many of each kind; queries are limited by the vocabulary to about 300
 */
export function createCorpus(seed: number, sizes: CorpusSizes): Corpus {
    const random = seededRandom(seed);
    const places = shuffle(
        random,
        PLACES.flat().flatMap((place) => QUALIFIERS.map((word) => `${word} ${place}`.trim())),
    );
    const asked = shuffle(
        random,
        createPropertyQueries(seed).map(({ text }) => text),
    );
    return {
        listings: Array.from({ length: sizes.listings }, (_, number) =>
            describeListing(random, number),
        ),
        queries: places.slice(0, sizes.queries),
        questions: Array.from({ length: sizes.questions }, (_, number) => {
            const text = asked[number % asked.length] ?? "";
            const round = Math.floor(number / asked.length);
            return round === 0 ? text : `${text}, below £${(1 + round) * 50} a week`;
        }),
    };
}

export function describeListing(random: Random, number: number): string {
    const kind = pick(random, KINDS);
    const bedrooms = 1 + Math.floor(random() * 5);
    const [area = ""] = pick(random, AREAS);
    const [feature = ""] = pick(random, FEATURES);
    const sentences = shuffle(random, SENTENCES).slice(0, 3).join(" ");
    const title = `${bedrooms}-bedroom ${kind} in ${area} ${feature}`.trim();
    return `${title}. ${sentences} Reference ${number}.`;
}

/** Draws texts by their popularity. */
export interface TextSource {
    readonly listing: () => string;
    readonly query: () => string;
    readonly question: () => string;
}

export interface SourceOptions {
    readonly random: Random;
    /** Exponent of Zipf's law. Default: 1 */
    readonly zipf?: number;
    /** Share (0–1) of draws whose text nobody has requested before. Default: 0 */
    readonly newShare?: number;
    /** Makes the new texts of a run differ from those of others. */
    readonly run: string;
}

export function createSource(corpus: Corpus, options: SourceOptions): TextSource {
    const { random, zipf = 1, newShare = 0, run } = options;
    let count = 0;
    const drawFrom = (texts: readonly string[], note: (id: string) => string) => {
        const draw = createZipf(texts.length, random, zipf);
        return () => {
            const text = texts[draw()] ?? "";
            if (random() >= newShare) return text;
            count += 1;
            return `${text}${note(`${run}-${count}`)}`;
        };
    };
    return {
        listing: drawFrom(corpus.listings, (id) => ` Version ${id}.`),
        query: drawFrom(corpus.queries, (id) => ` ${id}`),
        question: drawFrom(corpus.questions, (id) => `, case ${id}`),
    };
}
