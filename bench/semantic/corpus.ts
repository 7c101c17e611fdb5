import { compileRules } from "../../app/src/semantic/conceptRules.ts";
import { DEFAULT_RULES } from "../../app/src/semantic/defaultRules.ts";
import { findHighest } from "../../app/src/semantic/findHighest.ts";
import { dot } from "../../app/src/semantic/linear.ts";
import { extractFacts, type TextFacts } from "../../app/src/semantic/vetoes.ts";
import type { DataSet } from "./data/dataSets.ts";

/** A text of a corpus: its place. */
export type Place = number;

/** Texts of a data set with both vectors and their nearest texts. */
export interface Corpus {
    readonly name: string;
    readonly size: number;
    readonly dimensions: number;
    readonly text: (place: Place) => string;
    readonly intent: (place: Place) => string;
    readonly facts: (place: Place) => TextFacts;
    readonly signature: (place: Place) => Float32Array;
    /** The upstream's vector. */
    readonly truth: (place: Place) => Float32Array;
    /** The places of the nearest texts by signature and their cosines, nearest first. */
    readonly nearest: (place: Place) => readonly Found[];
}

export interface Found {
    readonly place: Place;
    readonly similarity: number;
}

/** Precomputed neighbours of a text, of which the cache contains some. */
const NEAREST = 200;

/**
 * @param left signatures of all texts, of length 1, one after the other
 * @param right their true vectors
 */
export function createCorpus(set: DataSet, left: Float32Array, right: Float32Array): Corpus {
    const texts = set.texts.map(({ text }) => text);
    const size = texts.length;
    const dimensions = left.length / size;
    const rules = compileRules(DEFAULT_RULES);
    const facts = texts.map((text) => extractFacts(text, rules));
    const nearest = new Map<Place, readonly Found[]>();

    function findNearest(place: Place): readonly Found[] {
        const cosines = Float32Array.from({ length: size }, (_, other) =>
            dot(left, left, dimensions, place * dimensions, other * dimensions),
        );
        cosines[place] = -2;
        return findHighest(cosines, NEAREST).map((other) => ({
            place: other,
            similarity: cosines[other] ?? 0,
        }));
    }

    return {
        name: set.name,
        size,
        dimensions,
        text: (place) => texts[place] ?? "",
        intent: (place) => set.texts[place]?.intent ?? "",
        facts: (place) => facts[place] ?? extractFacts("", rules),
        signature: (place) => left.subarray(place * dimensions, (place + 1) * dimensions),
        truth: (place) => right.subarray(place * dimensions, (place + 1) * dimensions),
        nearest: (place) => {
            const known = nearest.get(place) ?? findNearest(place);
            nearest.set(place, known);
            return known;
        },
    };
}
