import { interpolate } from "../../../app/src/semantic/interpolate.ts";
import { dot } from "../../../app/src/semantic/linear.ts";
import { createRidgeMap } from "../../../app/src/semantic/ridgeMap.ts";
import type { CreatePolicy } from "./policy.ts";

/** Knows the truth: copies whichever of 16 neighbours is right. */
export const copyOracle: CreatePolicy = ({ corpus, minCosine = 0.9 }) => ({
    answer: ({ place, near }) => {
        const truth = corpus.truth(place);
        const right = near.find((other) => dot(corpus.truth(other.place), truth) >= minCosine);
        return right && corpus.truth(right.place);
    },
});

/** Knows the truth: interpolates, and serves only right answers. */
export const interpolationOracle: CreatePolicy = ({ corpus, minCosine = 0.9 }) => {
    const map = createRidgeMap({ inputs: corpus.dimensions, outputs: corpus.dimensions });
    return {
        answer: ({ place, near }) => {
            const neighbours = near.map(({ place: other, similarity }) => ({
                signature: corpus.signature(other),
                vector: corpus.truth(other),
                ownLoss: 0,
                similarity,
            }));
            const vector = interpolate(corpus.signature(place), neighbours, map)?.vector;
            return vector && dot(vector, corpus.truth(place)) >= minCosine ? vector : undefined;
        },
        learn: ({ place }) => map.add(corpus.signature(place), corpus.truth(place)),
    };
};
