import type { SemanticOutcome } from "@property-search/contract";

import type { CompiledRules } from "../../semantic/conceptRules.ts";
import { dot, normalise } from "../../semantic/linear.ts";
import {
    createNamespace,
    NEIGHBOURS,
    type Decision,
    type Entry,
    type Namespace,
    type NamespaceOptions,
    type NamespaceState,
    type Query,
} from "../../semantic/namespace.ts";
import { createNeighbourIndex, type NeighbourIndex } from "../../semantic/neighbourIndex.ts";
import { createTermPairs, type TermPair } from "../../semantic/termPairs.ts";
import { extractFacts, findVeto } from "../../semantic/vetoes.ts";
import { isUnit } from "../../vector/cosine.ts";
import type { Answer, Inspection, Lesson } from "./messages.ts";
import type { EncodedText } from "./encoder.ts";
import type { TextRecord } from "./sealing.ts";

/** The texts of a namespace, and what has been learned about them. */
export interface Space {
    readonly dimensions: number;
    readonly index: NeighbourIndex<StoredText>;
    readonly onExact: () => void;
    readonly answer: (text: string, encoded: EncodedText, ticket: number) => Answer;
    /** @returns the text as it was added, or undefined if the ticket has expired or the vector cannot be used */
    readonly learn: (lesson: Lesson) => TextRecord | undefined;
    /** Adds a text that was paid for elsewhere or earlier. Its label is no evidence about the error. */
    readonly adopt: (record: TextRecord, lesson: Omit<Lesson, "ticket">) => void;
    /** Removes a text whose vector may be wrong: no further answer depends on it. */
    readonly forget: (key: string) => void;
    /** Removes some of the texts whose entries have expired, in bounded time. */
    readonly removeExpired: () => void;
    readonly inspect: (text: string, encoded: EncodedText) => Inspection;
    readonly state: () => NamespaceState;
    /** By which texts of audited answers differed. */
    readonly termPairs: () => readonly TermPair[];
    readonly save: Namespace["save"];
    readonly restore: Namespace["restore"];
}

/** A text of the index, in little memory: its facts are extracted when it is a neighbour. */
export interface StoredText {
    readonly text: string;
    readonly vector: Float16Array<ArrayBuffer>;
    readonly ownLoss: number;
}

interface Departed {
    readonly signature: Float32Array;
    readonly vector: Float16Array<ArrayBuffer>;
}

export interface SpaceOptions extends Pick<
    NamespaceOptions,
    "dimensions" | "signatureDimensions" | "mode" | "budget" | "auditShare" | "confidence"
> {
    /** Entries of the index. */
    readonly capacity: number;
    readonly rules: () => CompiledRules;
    /** In [0, 1). */
    readonly random: () => number;
    /** In milliseconds of `wallClock()`. */
    readonly now: () => number;
}

/** Mean overlap@10 from which an answer counts as right. */
const OVERLAP = 0.8;
/** Texts whose vectors have not arrived yet; a ticket takes about 20 kB. */
const MAX_TICKETS = 512;
/** Adopted texts that teach the gate; further ones are only added. */
const ADOPTED_LABELS = 600;
/** Texts that are examined at once for whether they have expired: less than a millisecond. */
const EXAMINED_TEXTS = 16_384;
/** Pairs that are subtracted from the map at once: each takes as long as adding one, up to a millisecond. */
const SUBTRACTED_REGULARLY = 16;
/** With each text that is added, at most one leaves the index. */
const SUBTRACTED_PER_TEXT = 2;

export function createSpace(options: SpaceOptions): Space {
    const { dimensions, signatureDimensions, mode, capacity, rules, now } = options;
    const namespace = createNamespace({
        ...options,
        evidence: "prior",
        right: { overlap: OVERLAP },
        answer: "interpolate",
    });
    const index = createNeighbourIndex(signatureDimensions, capacity, onRemoved);
    /** Have left the index, and not yet the map, by key. */
    const departed = new Map<string, Departed>();
    const tickets = new Map<number, { readonly query: Query; readonly decision: Decision }>();
    const termPairs = createTermPairs();
    let state: NamespaceState | undefined;

    function currentState(): NamespaceState {
        return (state ??= namespace.state());
    }

    function queryOf(text: string, signature: Float32Array): Query & { keys: readonly string[] } {
        const near = index.search(signature, NEIGHBOURS, now());
        return {
            text,
            facts: extractFacts(text, rules()),
            signature,
            keys: near.map(({ key }) => key),
            near: near.map(({ entry, similarity, signature: own }) => ({
                similarity,
                entry: toEntry(entry, own),
            })),
            entries: index.size(),
        };
    }

    function toEntry({ text, vector, ownLoss }: StoredText, signature: Float32Array): Entry {
        const facts = extractFacts(text, rules());
        return { text, facts, signature, vector: new Float32Array(vector), ownLoss };
    }

    function onRemoved(key: string, { vector }: StoredText, signature: Float32Array): void {
        // It was removed before, added and is removed again.
        subtract(key);
        departed.set(key, { signature, vector });
    }

    function subtract(key: string, leave = namespace.remove): void {
        const pair = departed.get(key);
        if (!pair) return;
        departed.delete(key);
        leave({ signature: pair.signature, vector: new Float32Array(pair.vector) });
    }

    function subtractSome(count: number): void {
        let left = count;
        for (const key of departed.keys()) {
            if (left === 0) return;
            left -= 1;
            subtract(key);
        }
    }

    function add(
        { text, signature, vector, ownLoss }: Entry,
        { key, usableUntil }: Pick<Lesson, "key" | "usableUntil">,
    ): TextRecord {
        const stored = { text, vector: new Float16Array(vector), ownLoss };
        index.set(key, signature, stored, usableUntil);
        state = undefined;
        subtractSome(SUBTRACTED_PER_TEXT);
        return { text, signature, ownLoss };
    }

    function keepTicket(ticket: number, query: Query, decision: Decision): void {
        // The neighbours are not needed any more, and take most of the memory.
        tickets.set(ticket, { query: { ...query, near: [] }, decision });
        const oldest = tickets.size > MAX_TICKETS ? tickets.keys().next().value : undefined;
        if (oldest !== undefined) tickets.delete(oldest);
    }

    return {
        dimensions,
        index,
        onExact: namespace.onExact,
        save: namespace.save,
        restore: (saved) => {
            namespace.restore(saved);
            state = undefined;
        },
        state: () => {
            state = undefined;
            return currentState();
        },
        answer: (text, { signature, tokens }, ticket) => {
            const query = queryOf(text, signature);
            const decision = namespace.decide(query);
            if (decision.kind !== "serve") {
                keepTicket(ticket, query, decision);
                return { outcome: outcomeOf(decision, query, currentState()) };
            }
            const { vector, similarity } = decision.candidate;
            for (const key of query.keys) index.touch(key);
            const { answerBound, requestBound } = currentState();
            const errorBound = mode === "per-hit" ? answerBound : requestBound;
            return { outcome: "served", vector, tokens, similarity, errorBound };
        },
        termPairs: termPairs.published,
        forget: (key) => {
            index.remove(key);
            subtract(key, namespace.retract);
        },
        removeExpired: () => {
            index.removeExpired(now(), EXAMINED_TEXTS);
            subtractSome(SUBTRACTED_REGULARLY);
        },
        learn: (lesson) => {
            const { ticket, vector } = lesson;
            const pending = tickets.get(ticket);
            tickets.delete(ticket);
            const truth = toUnit(vector, dimensions);
            if (!pending || !truth) return undefined;
            const { query, decision } = pending;
            if (decision.kind === "audit") {
                const { vector: answer, nearest } = decision.candidate;
                const isRight = dot(answer, truth) >= currentState().minCosine;
                termPairs.record(query.text, nearest.text, isRight);
            }
            return add(namespace.learn(query, decision, truth), lesson);
        },
        adopt: ({ text, signature, ownLoss }, lesson) => {
            const { key, vector, usableUntil } = lesson;
            if (usableUntil <= now()) return;
            const truth = toUnit(vector, dimensions);
            if (!truth || index.get(key, now()) !== undefined) return;
            const teaches = currentState().labels < ADOPTED_LABELS;
            const query = teaches
                ? queryOf(text, signature)
                : { text, facts: extractFacts(text, rules()), signature, near: [], entries: 0 };
            const candidate = teaches ? namespace.predict(query).candidate : undefined;
            // Without a prediction, its loss teaches the gate, and says nothing about the gate's own decisions.
            const decision = {
                kind: "miss",
                candidate: candidate && { ...candidate, prediction: undefined },
            } as const;
            add({ ...namespace.learn(query, decision, truth), ownLoss }, lesson);
        },
        inspect: (text, { signature }) => {
            const query = queryOf(text, signature);
            const { candidate } = namespace.predict(query);
            return {
                neighbours: query.near.map(({ entry, similarity }, at) => ({
                    key: query.keys[at] ?? "",
                    similarity,
                    veto: findVeto(query.facts, entry.facts) ?? null,
                })),
                candidate: candidate && {
                    vector: candidate.vector,
                    expectedCosine: candidate.prediction && 1 - Math.exp(candidate.prediction.loss),
                },
            };
        },
    };
}

function outcomeOf(
    { kind, candidate }: Exclude<Decision, { kind: "serve" }>,
    { near }: Query,
    { state }: NamespaceState,
): Exclude<SemanticOutcome, "served"> {
    if (kind === "audit") return "audited";
    if (!candidate) return near.length === 0 ? "no_neighbour" : "veto";
    if (state === "serving") return "gate";
    return state;
}

/**
 * Rounded as it is stored, so that it can be subtracted from what was learned.
 *
 * @returns undefined for vectors that are not of length 1: an answer has this length
 */
function toUnit(vector: Float32Array, dimensions: number): Float32Array | undefined {
    if (vector.length !== dimensions || !isUnit(vector)) return undefined;
    const unit = normalise(Float64Array.from(vector));
    return unit && new Float32Array(new Float16Array(unit));
}
