import { createAudits } from "./audits.ts";
import {
    createBudget,
    type BudgetMode,
    type BudgetReport,
    type Evidence,
    type SavedBudget,
} from "./budget.ts";
import { computeFeatures, FEATURES } from "./features.ts";
import { createGate, lossOf, scoreOf, type Prediction, type SavedGate } from "./gate.ts";
import { interpolate, type Neighbour } from "./interpolate.ts";
import { dot } from "./linear.ts";
import { createRelevance, type SavedRelevance } from "./relevance.ts";
import { createRidgeMap } from "./ridgeMap.ts";
import { shorten } from "./shorten.ts";
import { findVeto, sharedWords, type TextFacts, type Veto } from "./vetoes.ts";

/** A cached text of the namespace. */
export interface Entry extends Omit<Neighbour, "similarity"> {
    readonly text: string;
    readonly facts: TextFacts;
}

/** A text that is not in the exact cache. */
export interface Query {
    readonly text: string;
    readonly facts: TextFacts;
    /** Of length 1. */
    readonly signature: Float32Array;
    /** The nearest entries, nearest first. */
    readonly near: readonly { readonly entry: Entry; readonly similarity: number }[];
    /** Entries of the index. */
    readonly entries: number;
}

/** An answer that has been computed, whether it is served or not. */
export interface Candidate {
    /** Of length 1. */
    readonly vector: Float32Array<ArrayBuffer>;
    /** Cosine of the signatures of the text and the nearest entry without a veto. */
    readonly similarity: number;
    readonly nearest: Entry;
    readonly features: Float64Array;
    /** Undefined before the gate is fitted, and if the nearest entry is too far away for an answer. */
    readonly prediction: Prediction | undefined;
}

/**
 * `serve`: the answer is good enough; `audit`: it is, but goes to the upstream as a sample; `miss`: it is not, or the
 * budget is closed.
 */
export type Decision =
    | { readonly kind: "serve"; readonly candidate: Candidate; readonly expectedCosine: number }
    | { readonly kind: "audit"; readonly candidate: Candidate; readonly auditShare: number }
    | { readonly kind: "miss"; readonly candidate: Candidate | undefined; readonly veto?: Veto };

export interface NamespaceState extends BudgetReport {
    /** The cosine from which on an answer counts as right. */
    readonly minCosine: number;
    readonly fittedOn: number;
    readonly labels: number;
    /** Mean overlap@10 of the answers that are served, estimated from labels; NaN unless ρ is calibrated. */
    readonly overlap: number;
}

/** Signature and vector of an entry, with the numbers that were learned. */
export type Pair = Pick<Entry, "signature" | "vector">;

/** What is learned about the texts of one tenant, model, revision and dimensions. */
export interface Namespace {
    /** Counts a request that the exact cache has answered. */
    readonly onExact: () => void;
    readonly decide: (query: Query) => Decision;
    /** Computes an answer without any effect. */
    readonly predict: (
        query: Query,
    ) => Pick<Extract<Decision, { kind: "miss" }>, "candidate" | "veto">;
    /** Learns from the true vector of a text. @returns the entry to store in the index */
    readonly learn: (query: Query, decision: Decision, truth: Float32Array) => Entry;
    /** Subtracts an entry that has left the index from the map. */
    readonly remove: (pair: Pair) => void;
    /** The same, if its vector may be wrong: no further answer depends on it. */
    readonly retract: (pair: Pair) => void;
    readonly state: () => NamespaceState;
    readonly save: () => SavedNamespace;
    /** Continues what another process of the same build has learned. Pairs are not part of it. */
    readonly restore: (saved: SavedNamespace) => void;
}

/** Numbers without texts or vectors: what the decisions and their bounds depend on, besides the pairs. */
export interface SavedNamespace {
    readonly gate: SavedGate;
    readonly budget: SavedBudget;
    readonly relevance: SavedRelevance;
    /** The last answers, the oldest first. */
    readonly past: readonly (readonly [loss: number, deviation: number, cosine?: number])[];
    readonly minCosine: number;
    /** Labels of the relevance. */
    readonly nextCalibration: number;
}

export interface NamespaceOptions {
    /** Length of an upstream vector. */
    readonly dimensions: number;
    readonly signatureDimensions: number;
    readonly mode: BudgetMode;
    /** δ, in (0, 1). */
    readonly budget: number;
    /** Probability that an answer is audited. */
    readonly auditShare: number;
    /** With which the error must be within the budget for answers to be served: see budget.ts. */
    readonly confidence: number;
    /** Default `labels`: see budget.ts. */
    readonly evidence?: Evidence;
    /** A fixed ρ, or the mean overlap@10 from which it is calibrated. */
    readonly right: { readonly cosine: number } | { readonly overlap: number };
    /** `copy`: the nearest neighbour's vector. */
    readonly answer: "interpolate" | "copy";
    /** In [0, 1). */
    readonly random: () => number;
}

/** Neighbours of an interpolation. */
export const NEIGHBOURS = 16;
/**
 * Least similarity of an entry without a veto: below it, neighbours that contradict the text would decide alone. Of the
 * predictions below it 66 % were wrong, and 0.5 % of the answers depended on them: docs/semantic/evaluation.md.
 */
const MIN_SIMILARITY = 0.5;
/** Loss of an entry that nothing predicted. */
const UNKNOWN_LOSS = -1.5;
/** ρ while it is not calibrated: nothing is served. */
const UNCALIBRATED = 1;
const FIRST_CALIBRATION = 50;
/** Labels until the next calibration, as a multiple. */
const NEXT_CALIBRATION = 1.5;
const MAX_PAST = 2_000;
const NEVER = Infinity;

/** An answer and, once it is known, its cosine to the true vector. */
interface Past {
    readonly prediction: Prediction;
    cosine: number | undefined;
}

export function createNamespace(options: NamespaceOptions): Namespace {
    const { dimensions, signatureDimensions, right, answer, random } = options;
    const map = createRidgeMap({
        inputs: signatureDimensions,
        outputs: dimensions,
        ...(answer === "copy" && { firstFit: NEVER }),
    });
    const gate = createGate(FEATURES);
    const budget = createBudget({ ...options, share: options.budget });
    const audits = createAudits(options.auditShare);
    const relevance = createRelevance("overlap" in right ? right.overlap : 1, random);
    let minCosine = "cosine" in right ? right.cosine : UNCALIBRATED;
    const isCalibrated = "overlap" in right;
    let nextCalibration = FIRST_CALIBRATION;
    /** The last answers, served or not, and those of candidates whose true vector may arrive. */
    let past: Past[] = [];
    const pastOf = new WeakMap<Candidate, Past>();

    function predict(query: Query): ReturnType<Namespace["predict"]> {
        const vetoes = query.near.map(({ entry }) => findVeto(query.facts, entry.facts));
        const allowed = query.near.filter((_, at) => vetoes[at] === undefined);
        const [veto] = vetoes;
        return { candidate: createCandidate(query, allowed), ...(veto && { veto }) };
    }

    /** @param allowed neighbours without a veto, nearest first */
    function createCandidate(query: Query, allowed: Query["near"]): Candidate | undefined {
        const [nearest] = allowed;
        if (!nearest) return undefined;
        // A vector is copied only from a neighbour without a veto. Residuals of the others are evidence, too.
        const near = map.fittedOn() === 0 ? allowed : query.near;
        const neighbours = near
            .slice(0, NEIGHBOURS)
            .map(({ entry, similarity }) => ({ ...entry, similarity }));
        const interpolation = interpolate(query.signature, neighbours, map);
        if (!interpolation) return undefined;
        const { vector } = interpolation;
        const features = computeFeatures({
            neighbours,
            interpolation,
            answer: vector,
            sharedWords: sharedWords(query.facts, nearest.entry.facts),
            words: query.facts.words.size,
            entries: query.entries,
        });
        return {
            vector,
            similarity: nearest.similarity,
            nearest: nearest.entry,
            features,
            prediction: nearest.similarity < MIN_SIMILARITY ? undefined : gate.predict(features),
        };
    }

    function remember(candidate: Candidate, prediction: Prediction): void {
        const record = { prediction, cosine: undefined };
        pastOf.set(candidate, record);
        past.push(record);
        if (past.length > MAX_PAST) past.shift();
    }

    function calibrate(): void {
        if (relevance.labels() < nextCalibration) return;
        nextCalibration *= NEXT_CALIBRATION;
        const wanted = relevance.lowestCosine();
        if (wanted === undefined || wanted === minCosine) return;
        minCosine = wanted;
        budget.reset(
            "ρ was calibrated again",
            past.map(({ prediction, cosine }) => ({
                score: scoreOf(prediction, wanted),
                isWrong: cosine === undefined ? undefined : cosine < wanted,
            })),
        );
    }

    function remove({ signature, vector }: Pair): void {
        map.remove(signature, vector);
    }

    return {
        onExact: budget.onRequest,
        remove,
        retract: (pair) => {
            remove(pair);
            relevance.remove(pair.vector);
        },
        predict,
        decide: (query) => {
            budget.onRequest();
            const predicted = predict(query);
            const { candidate } = predicted;
            if (!candidate?.prediction) return { kind: "miss", ...predicted };
            const { prediction } = candidate;
            if (isCalibrated) remember(candidate, prediction);
            const score = scoreOf(prediction, minCosine);
            budget.onCandidate(score);
            if (score < budget.minScore()) return { kind: "miss", candidate };
            const auditShare = audits.shareOf(query.text, budget.auditShare());
            if (random() < auditShare) return { kind: "audit", candidate, auditShare };
            budget.onServed(auditShare);
            const times = audits.onServed(query.text);
            // Without answered texts, documents would be missing where most requests are.
            if (isCalibrated && times === 1) relevance.add(candidate.vector);
            return { kind: "serve", candidate, expectedCosine: 1 - Math.exp(prediction.loss) };
        },
        learn: ({ text, facts, signature }, decision, truth) => {
            const { candidate } = decision;
            let ownLoss = UNKNOWN_LOSS;
            if (candidate) {
                const cosine = dot(candidate.vector, truth);
                ownLoss = lossOf(cosine);
                const auditShare = decision.kind === "audit" ? decision.auditShare : undefined;
                const { prediction } = candidate;
                const record = pastOf.get(candidate);
                if (record) record.cosine = cosine;
                if (prediction) {
                    budget.learn(scoreOf(prediction, minCosine), cosine < minCosine, auditShare);
                    if (isCalibrated)
                        relevance.learn(candidate.vector, truth, prediction, 1 / (auditShare ?? 1));
                }
                gate.learn(candidate.features, ownLoss);
                if (isCalibrated) calibrate();
            }
            const vector = Float32Array.from(truth);
            map.add(signature, vector);
            if (isCalibrated) relevance.add(vector);
            return { text, facts, signature, vector, ownLoss };
        },
        state: () => ({
            ...budget.report(),
            minCosine,
            fittedOn: map.fittedOn(),
            labels: gate.labels(),
            overlap: relevance.overlapAt(minCosine),
        }),
        save: () => ({
            gate: gate.save(),
            budget: budget.save(),
            relevance: relevance.save(),
            past: past.map(({ prediction: { loss, deviation }, cosine }) => [
                shorten(loss),
                shorten(deviation),
                ...(cosine === undefined ? ([] as const) : ([shorten(cosine)] as const)),
            ]),
            ...{ minCosine, nextCalibration },
        }),
        restore: (saved) => {
            gate.restore(saved.gate);
            budget.restore(saved.budget);
            relevance.restore(saved.relevance);
            past = saved.past.map(([loss, deviation, cosine]) => ({
                ...{ prediction: { loss, deviation }, cosine },
            }));
            ({ minCosine, nextCalibration } = saved);
        },
    };
}
