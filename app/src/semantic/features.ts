import { dot } from "./linear.ts";
import type { Interpolation, Neighbour } from "./interpolate.ts";

/** Number of features of an answer, the constant included. */
export const FEATURES = 24;

/** Loss of a text whose neighbourhood is unknown. */
const USUAL_LOSS = -2;
const FEW = 4;

/** Facts about an answer that are known before the true vector. */
export interface AnswerFacts {
    readonly neighbours: readonly Neighbour[];
    readonly interpolation: Interpolation;
    /** The vector that would be served, of length 1. */
    readonly answer: Float32Array;
    /** Share of the words that both the text and its nearest neighbour contain, in [0, 1]. */
    readonly sharedWords: number;
    readonly words: number;
    /** Entries of the index. */
    readonly entries: number;
}

/** @returns the features of the gate, each of the order of 1: a constant, 12 facts and some of their products */
export function computeFeatures(facts: AnswerFacts): Float64Array {
    const { neighbours, interpolation, answer, sharedWords, words, entries } = facts;
    const { variance, length, mapAgreement, weights } = interpolation;
    const first = neighbours[0]?.similarity ?? 0;
    const last = neighbours.at(-1)?.similarity ?? 0;
    const few = neighbours.slice(0, FEW);
    const meanOfFew = few.reduce((sum, { similarity }) => sum + similarity, 0) / few.length;
    let agreement = 0;
    let loss = 0;
    let absolute = 0;
    neighbours.forEach(({ vector, ownLoss }, at) => {
        const weight = Math.abs(weights[at] ?? 0);
        agreement += weight * dot(vector, answer);
        loss += weight * ownLoss;
        absolute += weight;
    });
    const nearestAgreement = dot(neighbours[0]?.vector ?? answer, answer);
    const scale = Math.max(absolute, Number.EPSILON);
    const facts12 = [
        logDistance(first),
        logDistance(meanOfFew),
        1 - last,
        Math.log(variance + 0.01),
        5 * (1 - length),
        mapAgreement === 0 ? 0 : logDistance(mapAgreement),
        logDistance(nearestAgreement),
        logDistance(agreement / scale),
        loss / scale - USUAL_LOSS,
        absolute,
        sharedWords,
        Math.log(1 + words) - 2,
        Math.log(1 + entries) / 4 - 1.5,
    ];
    const [distance = 0, , , spread = 0, , map = 0, nearest = 0, , local = 0] = facts12;
    const products = [
        distance * distance,
        spread * spread,
        map * map,
        nearest * nearest,
        local * local,
        distance * map,
        distance * local,
        map * local,
        spread * local,
        distance * spread,
    ];
    return Float64Array.of(1, ...facts12, ...products);
}

/** @returns log(1 − cos), moved so that usual values are near 0 */
function logDistance(cosine: number): number {
    return Math.log(Math.max(1 - cosine, 1e-3)) + 2;
}
