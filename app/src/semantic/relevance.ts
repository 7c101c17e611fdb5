import { findHighest } from "./findHighest.ts";
import { scoreOf, type Prediction } from "./gate.ts";
import { dot } from "./linear.ts";
import { shorten } from "./shorten.ts";

/** Finds the cosine from which on answers find the same documents as the true vectors. */
export interface Relevance {
    /** Adds the vector of a requested text to the documents that are searched. */
    readonly add: (vector: Float32Array) => void;
    /** Removes a vector from the documents. */
    readonly remove: (vector: Float32Array) => void;
    /**
     * Compares the search results of an answer and the true vector.
     *
     * @param weight answers that the label represents: 1 / probability of an audit
     */
    readonly learn: (
        answer: Float32Array,
        truth: Float32Array,
        prediction: Prediction,
        weight: number,
    ) => void;
    /** @returns ρ at which the answers that would be served reach the overlap; undefined without enough labels */
    readonly lowestCosine: () => number | undefined;
    /** Mean overlap of the labelled answers that would be served at this ρ, in [0, 1]; NaN without any. */
    readonly overlapAt: (cosine: number) => number;
    readonly labels: () => number;
    readonly save: () => SavedRelevance;
    /** Replaces all labels, and no documents. */
    readonly restore: (saved: SavedRelevance) => void;
}

/** The labels, the oldest first. */
export type SavedRelevance = readonly (readonly [
    loss: number,
    deviation: number,
    overlap: number,
    weight: number,
])[];

interface Label {
    readonly prediction: Prediction;
    readonly overlap: number;
    readonly weight: number;
}

const MAX_DOCUMENTS = 1_000;
const MIN_DOCUMENTS = 100;
const MAX_LABELS = 2_000;
/** Labels of answers that would be served, each with its weight: (Σ w)² / Σ w². */
const MIN_LABELS = 25;
const TOP = 10;
/**
 * Documents of the collection whose ten nearest are meant. The sample has fewer, which are farther from each other, so
 * that the same deviation changes fewer of ten results: of a tenth of the collection, one result stands for ten.
 */
const COLLECTION = 4_000;
/** Score from which on an answer counts as served: budgets of up to 5 % hardly ever open lower. */
const SERVED_SCORE = 0.5;
/** Standard errors by which the mean must exceed the overlap. */
const STANDARD_ERRORS = 1;
/** ρ is one of these, so that it changes only if the overlap does. */
const COSINES = Array.from({ length: 20 }, (_, at) => 0.9 + at / 200);

/** @param overlap mean share of the nearest documents that answers must have in common with the truth */
export function createRelevance(overlap: number, random: () => number): Relevance {
    const documents: Float32Array[] = [];
    let labels: Label[] = [];
    let added = 0;

    function nearest(vector: Float32Array): readonly number[] {
        const count = Math.max(1, Math.round((TOP * documents.length) / COLLECTION));
        return findHighest(
            Float64Array.from(documents, (document) => dot(document, vector)),
            count,
        );
    }

    /** Weighted mean, its standard error, and the number of labels that it is worth. */
    function summarise(cosine: number) {
        let [sum, squares, weights] = [0, 0, 0];
        const served = labels.filter(
            ({ prediction }) => scoreOf(prediction, cosine) >= SERVED_SCORE,
        );
        for (const label of served) {
            weights += label.weight;
            squares += label.weight ** 2;
            sum += label.weight * label.overlap;
        }
        const mean = sum / weights;
        const deviations = served.reduce(
            (total, label) => total + (label.weight * (label.overlap - mean)) ** 2,
            0,
        );
        return { mean, error: Math.sqrt(deviations) / weights, size: weights ** 2 / squares };
    }

    return {
        // A reservoir: every vector so far is a document with the same probability (Vitter, 1985).
        add: (vector) => {
            added += 1;
            if (documents.length < MAX_DOCUMENTS) {
                documents.push(vector);
                return;
            }
            const place = Math.floor(random() * added);
            if (place < MAX_DOCUMENTS) documents[place] = vector;
        },
        remove: (vector) => {
            const isSame = (one: Float32Array): boolean =>
                one.every((value, at) => value === vector[at]);
            const place = documents.findIndex(isSame);
            if (place >= 0) documents.splice(place, 1);
        },
        learn: (answer, truth, prediction, weight) => {
            if (documents.length < MIN_DOCUMENTS) return;
            const found = new Set(nearest(answer));
            const expected = nearest(truth);
            const common = expected.filter((place) => found.has(place)).length;
            labels.push({ prediction, overlap: common / expected.length, weight });
            if (labels.length > MAX_LABELS) labels.shift();
        },
        lowestCosine: () => {
            const all = COSINES.map((cosine) => ({ cosine, ...summarise(cosine) }));
            const known = all.filter(({ size }) => size >= MIN_LABELS);
            if (known.length === 0) return undefined;
            const reached = known.find(
                ({ mean, error }) => mean - STANDARD_ERRORS * error >= overlap,
            );
            // If none reaches it, only nearly exact answers are right.
            return (reached ?? all.at(-1))?.cosine;
        },
        overlapAt: (cosine) => summarise(cosine).mean,
        labels: () => labels.length,
        save: () =>
            labels.map(({ prediction: { loss, deviation }, overlap, weight }) => [
                shorten(loss),
                shorten(deviation),
                shorten(overlap),
                shorten(weight),
            ]),
        restore: (saved) => {
            labels = saved.map(([loss, deviation, overlap, weight]) => ({
                ...{ prediction: { loss, deviation }, overlap, weight },
            }));
        },
    };
}
