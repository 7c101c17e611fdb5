import { compileRules } from "../../app/src/semantic/conceptRules.ts";
import { DEFAULT_RULES } from "../../app/src/semantic/defaultRules.ts";
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
    /** Cosines of its signature and those of all texts, by place. */
    readonly similarities: (place: Place) => Float32Array;
}

export interface Found {
    readonly place: Place;
    readonly similarity: number;
}

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
    const similarities = new Map<Place, Float32Array>();

    function computeSimilarities(place: Place): Float32Array {
        return Float32Array.from({ length: size }, (_, other) =>
            dot(left, left, dimensions, place * dimensions, other * dimensions),
        );
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
        similarities: (place) => {
            const known = similarities.get(place) ?? computeSimilarities(place);
            similarities.set(place, known);
            return known;
        },
    };
}
