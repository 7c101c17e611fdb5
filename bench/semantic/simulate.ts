import { findHighest } from "../../app/src/semantic/findHighest.ts";
import { dot } from "../../app/src/semantic/linear.ts";
import { NEIGHBOURS } from "../../app/src/semantic/namespace.ts";
import type { Corpus, Found, Place } from "./corpus.ts";
import type { Policy } from "./policies/policy.ts";
import type { Stream } from "./streams.ts";

/** Counts of one run, over the measured requests. */
export interface Outcome {
    readonly requests: number;
    /** Texts that a cache of exact texts would have paid for. */
    readonly distinct: number;
    readonly paid: number;
    /** Texts paid for before the first semantic answer; NaN without one. */
    readonly paidBeforeFirst: number;
    /** Semantic answers, and how many of them were wrong. */
    readonly served: number;
    readonly wrong: number;
    /** Audits, and the exact hits of texts that were audited: without audits, they would be semantic answers. */
    readonly audits: number;
    readonly auditedRepeats: number;
    /** Cosines of the answers to the true vectors. */
    readonly cosines: readonly number[];
    /** Overlap@10 of a sample of the answers. */
    readonly overlaps: readonly number[];
    readonly bounds: { readonly answers: number; readonly served: number } | undefined;
    readonly minCosine: number;
}

const TOP = 10;
const OVERLAP_EVERY = 10;

/** Sends a stream through an exact cache without limits and a policy for its misses. */
export function simulate(
    corpus: Corpus,
    { requests, measureFrom }: Stream,
    policy: Policy,
    minCosine: number,
): Outcome {
    const paidTexts = new Set<Place>();
    const seen = new Set<Place>();
    const audited = new Set<Place>();
    const cosines: number[] = [];
    const overlaps: number[] = [];
    let [distinct, paid, wrong, audits, auditedRepeats] = [0, 0, 0, 0, 0];
    let paidBeforeFirst = NaN;
    const rho = (): number => policy.minCosine?.() ?? minCosine;

    requests.forEach((place, at) => {
        const isMeasured = at >= measureFrom;
        if (isMeasured && !seen.has(place)) distinct += 1;
        seen.add(place);
        if (paidTexts.has(place)) {
            if (isMeasured && audited.has(place)) auditedRepeats += 1;
            policy.onExact?.();
            return;
        }
        const near = findPaid(corpus.similarities(place), paidTexts);
        const miss = { place, near, paid: paidTexts.size };
        const answer = policy.answer(miss);
        if (!answer) {
            if (policy.isAudit?.() ?? false) {
                audited.add(place);
                if (isMeasured) audits += 1;
            }
            policy.learn?.(miss);
            paidTexts.add(place);
            if (isMeasured) paid += 1;
            return;
        }
        if (Number.isNaN(paidBeforeFirst)) paidBeforeFirst = paidTexts.size;
        if (isMeasured) {
            const cosine = dot(answer, corpus.truth(place));
            if (cosine < rho()) wrong += 1;
            if (cosines.length % OVERLAP_EVERY === 0)
                overlaps.push(overlapAtTen(corpus, place, answer));
            cosines.push(cosine);
        }
    });
    return {
        requests: requests.length - measureFrom,
        distinct,
        paid,
        paidBeforeFirst,
        served: cosines.length,
        wrong,
        audits,
        auditedRepeats,
        cosines,
        overlaps,
        bounds: policy.bounds?.(),
        minCosine: rho(),
    };
}

function findPaid(similarities: Float32Array, paid: ReadonlySet<Place>): readonly Found[] {
    const places = [...paid];
    const cosines = Float32Array.from(places, (place) => similarities[place] ?? 0);
    return findHighest(cosines, NEIGHBOURS).map((at) => ({
        place: places[at] ?? 0,
        similarity: cosines[at] ?? 0,
    }));
}

/** Share of the ten nearest other texts by the answer that are also the ten nearest by the true vector. */
export function overlapAtTen(corpus: Corpus, place: Place, answer: Float32Array): number {
    const nearest = (vector: Float32Array): readonly Place[] =>
        findHighest(
            Float32Array.from({ length: corpus.size }, (_, other) =>
                other === place ? -2 : dot(corpus.truth(other), vector),
            ),
            TOP,
        );
    const found = new Set(nearest(answer));
    return nearest(corpus.truth(place)).filter((other) => found.has(other)).length / TOP;
}
