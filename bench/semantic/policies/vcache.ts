import { dot } from "../../../app/src/semantic/linear.ts";
import type { Corpus, Place } from "../corpus.ts";
import { explorationProbability, type Observation } from "./logistic.ts";
import type { CreatePolicy, Miss, Policy } from "./policy.ts";

/** Observations of an entry before it may answer. */
const MIN_OBSERVATIONS = 6;
const MAX_OBSERVATIONS = 500;
/** Every entry starts with these two. */
const SEEDS: readonly Observation[] = [
    { similarity: 0, isRight: false },
    { similarity: 1, isRight: true },
];

/**
 * vCache (arXiv 2502.03771), implemented from the paper: a logistic curve for each entry; a new entry is stored
 * only if the nearest one's answer was wrong. Labels are the same as ours: cos(answer, truth) ≥ ρ.
 */
export const vcachePerEntry: CreatePolicy = (context) => {
    const observations = new Map<Place, Observation[]>();
    const policy = createExplorer(context, (place) => {
        const own = observations.get(place) ?? [...SEEDS];
        observations.set(place, own);
        return own;
    });
    return policy;
};

/** The same with one curve for all entries. */
export const globalSigmoid: CreatePolicy = (context) => {
    const all: Observation[] = [...SEEDS];
    return createExplorer(context, () => all);
};

function createExplorer(
    { corpus, minCosine = 0.9, budget, random }: Parameters<CreatePolicy>[0],
    observationsOf: (place: Place) => Observation[],
): Policy {
    /** Texts that the semantic index contains; all paid texts are exact hits. */
    const indexed = new Set<Place>();
    const nearestIndexed = ({ near }: Miss) => near.find(({ place }) => indexed.has(place));
    return {
        answer: (miss) => {
            const nearest = nearestIndexed(miss);
            if (!nearest) return undefined;
            const own = observationsOf(nearest.place);
            if (own.length < MIN_OBSERVATIONS) return undefined;
            const explore = explorationProbability(own, nearest.similarity, budget);
            return random() <= explore ? undefined : corpus.truth(nearest.place);
        },
        learn: (miss) => {
            const nearest = nearestIndexed(miss);
            if (!nearest) {
                indexed.add(miss.place);
                return;
            }
            const isRight = cosineOf(corpus, nearest.place, miss.place) >= minCosine;
            const own = observationsOf(nearest.place);
            own.push({ similarity: nearest.similarity, isRight });
            if (own.length > MAX_OBSERVATIONS) own.splice(SEEDS.length, 1);
            if (!isRight) indexed.add(miss.place);
        },
    };
}

function cosineOf(corpus: Corpus, a: Place, b: Place): number {
    return dot(corpus.truth(a), corpus.truth(b));
}
