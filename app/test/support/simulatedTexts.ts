import { compileRules } from "../../src/semantic/conceptRules.ts";
import { dot, dotDouble } from "../../src/semantic/linear.ts";
import {
    NEIGHBOURS,
    type Decision,
    type Entry,
    type Namespace,
    type Query,
} from "../../src/semantic/namespace.ts";
import { createNeighbourIndex } from "../../src/semantic/neighbourIndex.ts";
import { extractFacts } from "../../src/semantic/vetoes.ts";

export const SIGNATURE_DIMENSIONS = 16;
export const VECTOR_DIMENSIONS = 24;
const MEANING_DIMENSIONS = 8;
const RULES = compileRules({ version: 1, synonyms: [], opposites: [], places: [] });

/** A text of a simulated language: both models read the same meaning, each with its own noise. */
export interface SimulatedText {
    readonly text: string;
    readonly signature: Float32Array;
    readonly truth: Float32Array;
}

export interface SimulatedLanguage {
    /** @param intent index; wordings of one intent mean nearly the same */
    readonly createText: (intent: number) => SimulatedText;
    /** From now on the upstream's vectors no longer agree with the signatures. */
    readonly scramble: () => void;
}

/** @returns a standard normal number (Box–Muller) */
export function normal(random: () => number): number {
    return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

export function createLanguage(random: () => number, spread = 0.25): SimulatedLanguage {
    const matrix = (rows: number): readonly Float64Array[] =>
        Array.from({ length: rows }, () =>
            Float64Array.from({ length: MEANING_DIMENSIONS }, () => normal(random)),
        );
    const [toSignature, toVector] = [matrix(SIGNATURE_DIMENSIONS), matrix(VECTOR_DIMENSIONS)];
    const centres = new Map<number, Float64Array>();
    let noise = 0.05;
    let texts = 0;
    const gaussian = (scale: number): Float64Array =>
        Float64Array.from({ length: MEANING_DIMENSIONS }, () => scale * normal(random));
    const project = (rows: readonly Float64Array[], meaning: Float64Array): Float32Array =>
        unit(rows.map((row) => Math.tanh(dotDouble(row, meaning) / 3) + noise * normal(random)));
    return {
        createText: (intent) => {
            const centre = centres.get(intent) ?? gaussian(1);
            centres.set(intent, centre);
            const meaning = gaussian(spread).map((value, at) => value + (centre[at] ?? 0));
            texts += 1;
            return {
                text: `wording ${"x".repeat(texts % 7)} of ${"abcdefgh".charAt(intent % 8)}`,
                signature: project(toSignature, meaning),
                truth: project(toVector, meaning),
            };
        },
        scramble: () => {
            noise = 0.6;
        },
    };
}

/** Results of a stream of different texts. */
export interface Outcome {
    readonly served: number;
    readonly wrong: number;
    readonly paid: number;
}

/** Sends different texts to a namespace, which pays for those that it does not answer. */
export function createStream(namespace: Namespace) {
    const index = createNeighbourIndex<Entry>(SIGNATURE_DIMENSIONS, 10_000);
    const outcome = { served: 0, wrong: 0, paid: 0 };

    function queryOf({ text, signature }: SimulatedText): Query {
        const near = index.search(signature, NEIGHBOURS);
        const facts = extractFacts(text, RULES);
        return { text, facts, signature, near, entries: index.size() };
    }

    return {
        index,
        outcome: outcome as Outcome,
        decide: (text: SimulatedText): Decision => namespace.decide(queryOf(text)),
        send: (text: SimulatedText): void => {
            const query = queryOf(text);
            const decision = namespace.decide(query);
            if (decision.kind !== "serve") {
                outcome.paid += 1;
                const entry = namespace.learn(query, decision, text.truth);
                index.set(String(outcome.paid), entry.signature, entry);
                return;
            }
            outcome.served += 1;
            const cosine = dot(decision.candidate.vector, text.truth);
            if (cosine < namespace.state().minCosine) outcome.wrong += 1;
        },
    };
}

function unit(values: readonly number[]): Float32Array {
    const length = Math.hypot(...values);
    return Float32Array.from(values, (value) => value / length);
}
