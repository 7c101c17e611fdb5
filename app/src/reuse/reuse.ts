import type { SemanticOutcome } from "@property-search/contract";

import type { Item, ResolvedItem } from "../cache/item.ts";
import { toThreadTime } from "../clock.ts";
import { detach } from "../detach.ts";
import type { Log } from "../log.ts";
import type { LookupContext } from "../requestContext.ts";
import type { ConceptRules } from "../semantic/conceptRules.ts";
import { createEmbedding, endOf, type Embedding } from "../vector/embedding.ts";
import type { ReuseConfig } from "./config.ts";
import { createNamespaces, MAX_DIMENSIONS } from "./namespaces.ts";
import { createStateKeeper } from "./records/stateKeeper.ts";
import { createTextFollower } from "./records/textFollower.ts";
import type { TextStore } from "./records/textStore.ts";
import { createReuseThread, type ReuseThread, type ThreadState } from "./thread/client.ts";
import type { Answer, Inspection, NamespaceRef, NamespaceReport } from "./thread/messages.ts";

/** Reuses the vectors of similar texts, within an error budget. */
export interface Reuse {
    /** Whether these items may be looked up at all: short texts, few of them, and vectors that are not too long. */
    readonly isApplicable: (items: readonly Item[], context: LookupContext) => boolean;
    /** Counts items that the exact caches have answered. */
    readonly onExactHits: (context: LookupContext, items: number) => void;
    /** Never fails and takes LOOKUP_MILLISECONDS at most. @returns what is known about each text, by key */
    readonly lookUp: (
        items: readonly Item[],
        context: LookupContext,
    ) => Promise<ReadonlyMap<string, LookupResult>>;
    /** Learns from the true vectors of texts that were looked up. Does not wait. */
    readonly learn: (texts: readonly PaidText[], context: LookupContext) => void;
    /** Removes a text, because its entry was flagged or deleted. */
    readonly forget: (key: string) => void;
    /** Removes all texts, because some of their vectors may be wrong. */
    readonly reset: () => void;
    readonly setRules: (rules: ConceptRules) => void;
    readonly inspect: (
        item: Item,
        context: LookupContext,
    ) => Promise<Inspection | InspectionFailure>;
    readonly report: () => ReuseReport;
    readonly start: () => void;
    readonly close: () => Promise<void>;
}

/** `no texts`: the namespace is not in use; `unavailable`: the thread is down, or has too much to do. */
export type InspectionFailure = "no texts" | "too many tokens" | "unavailable";

/** What is known about a text after its lookup. */
export interface LookupResult {
    /** Names the text in the thread. */
    readonly ticket: number;
    readonly namespace: NamespaceRef;
    /** The answer, if it may be served. */
    readonly resolved: ResolvedItem | undefined;
    readonly isAudit: boolean;
    /** The text, if the thread does not know it yet, because its namespace was not in use. */
    readonly newText?: string | undefined;
}

/** A text that was looked up, and whose true vector has arrived. */
export interface PaidText {
    readonly key: string;
    readonly lookup: LookupResult;
    readonly embedding: Embedding;
}

export interface ReuseReport {
    readonly thread: ThreadState;
    /** Why no text is answered at all; undefined while the thread is up. */
    readonly offReason: string | undefined;
    readonly namespaces: readonly TenantReport[];
}

export interface TenantReport extends NamespaceReport {
    /** The tenant's pool. */
    readonly tenant: string;
    readonly dimensions: number;
}

/** Events for metrics. They must not throw. */
export interface ReuseEvents {
    readonly onOutcome: (outcome: SemanticOutcome, texts: number) => void;
    readonly onLookup: (seconds: number) => void;
}

export interface ReuseDependencies {
    readonly config: ReuseConfig;
    /** Longest wait of a request. Default: LOOKUP_MILLISECONDS. */
    readonly lookupMilliseconds?: number | undefined;
    /** Why there is no thread; undefined: there is one. */
    readonly offReason: string | undefined;
    /** Version of the service. */
    readonly build: string;
    /** Paths of the local model. */
    readonly files: { readonly model: string; readonly tokenizer: string };
    readonly initialRules: ConceptRules;
    /** Digest of a tenant's current key space: it changes when its entries are invalidated. */
    readonly spaceOf: (pool: string) => string;
    /** Native dimensions of the model, if known. */
    readonly dimensions: () => number | undefined;
    readonly isFlagged: (key: string) => boolean;
    /** Undefined: texts are lost when the thread ends. */
    readonly store: TextStore | undefined;
    /** Reads the true vectors of keys that may be served. */
    readonly readVectors: (
        keys: readonly string[],
        dimensions: number,
    ) => Promise<ReadonlyMap<string, Embedding>>;
    /** How long an entry is kept after it became stale; a text is used no longer. */
    readonly staleSeconds: number;
    readonly events: ReuseEvents;
    readonly log: Log;
}

/** A signature describes a short text; longer ones are documents, which are rarely similar enough. */
export const MAX_TEXT_CHARACTERS = 256;
/** Each takes about 5 ms of one thread. */
export const MAX_TEXTS = 4;
const WATCH_MILLISECONDS = 1_000;

export function createReuse(dependencies: ReuseDependencies): Reuse {
    const { config, offReason, files, spaceOf, isFlagged, store, staleSeconds, events, log } =
        dependencies;
    let rules = dependencies.initialRules;
    let nextTicket = 0;
    let timer: NodeJS.Timeout | undefined;
    /** Items since the last lookup, by pool. */
    const exactHits = new Map<string, { items: number }>();
    const thread: ReuseThread = createReuseThread({
        data: () => ({ ...files, options: { ...config, build: dependencies.build, rules } }),
        log,
        lookupMilliseconds: dependencies.lookupMilliseconds,
        onReady: () => {
            // They may have changed since the thread was started.
            thread.command({ kind: "rules", rules });
            restart();
        },
    });
    const keeper = store && createStateKeeper({ store, thread, log });
    const follower =
        store &&
        keeper &&
        createTextFollower({
            ...{ ...dependencies, store, log },
            adopt: thread.adopt,
            onComplete: keeper.restore,
        });
    const namespaces = createNamespaces({
        spaceOf,
        dimensions: dependencies.dimensions,
        onAdded: (namespace) => follower?.follow(namespace),
        onRemoved: ({ id }, reason) => {
            thread.command({ kind: "drop", namespace: id });
            follower?.unfollow(id);
            keeper?.release(id);
            if (reason === "invalidated") removeStored(() => store?.drop(id));
        },
    });

    /** The thread knows no texts. */
    function restart(): void {
        keeper?.release();
        follower?.restart();
    }

    /** What cannot be removed while Redis is unavailable expires. */
    function removeStored(remove: () => Promise<void> | undefined): void {
        remove()?.catch((error: unknown) => {
            log.debug({ error: String(error) }, "Texts of semantic reuse were not removed");
        });
    }

    async function lookUp(
        items: readonly Item[],
        context: LookupContext,
    ): Promise<ReadonlyMap<string, LookupResult>> {
        const found = namespaces.find(context);
        const open = items.filter(({ key }) => !isFlagged(key));
        if (open.length < items.length) events.onOutcome("flagged", items.length - open.length);
        if (open.length === 0) return new Map();
        if (!found || found.state === "full") {
            events.onOutcome("busy", open.length);
            return new Map();
        }
        const namespace = found.ref;
        const texts = open.map(({ key, input }) => ({
            key,
            text: input.kind === "text" ? input.text : "",
            ticket: nextTicket++,
        }));
        if (found.state === "free") {
            // There are no texts. The namespace is taken into use when a vector of this length arrives.
            events.onOutcome("no_neighbour", texts.length);
            return new Map(
                texts.map(({ key, text, ticket }) => [
                    key,
                    { ticket, namespace, resolved: undefined, isAudit: false, newText: text },
                ]),
            );
        }
        const startedAt = performance.now();
        const answers = await thread.lookUp({
            kind: "look up",
            namespace,
            texts: texts.map(({ text, ticket }) => ({ text, ticket })),
            exactHits: takeExactHits(context.pool),
        });
        if (typeof answers === "string") {
            events.onOutcome(answers, texts.length);
            if (answers !== "timeout") return new Map();
        } else events.onLookup((performance.now() - startedAt) / 1000);
        return new Map(
            texts.map(({ key, ticket }, at) => {
                const answer = typeof answers === "string" ? undefined : answers[at];
                if (answer) events.onOutcome(answer.outcome, 1);
                return [
                    key,
                    {
                        ticket,
                        namespace,
                        resolved: answer && toResolvedItem(answer),
                        isAudit: answer?.outcome === "audited",
                    },
                ] as const;
            }),
        );
    }

    function takeExactHits(pool: string): number {
        const hits = exactHits.get(pool);
        const items = hits?.items ?? 0;
        if (hits) hits.items = 0;
        return items;
    }

    async function teach(namespace: NamespaceRef, texts: readonly PaidText[]): Promise<void> {
        const newTexts = texts.flatMap(({ lookup: { ticket, newText: text } }) =>
            text === undefined ? [] : [{ ticket, text }],
        );
        if (newTexts.length > 0)
            await thread.lookUp({ kind: "look up", namespace, texts: newTexts, exactHits: 0 });
        const sealed = await thread.learn({
            kind: "learn",
            namespace,
            lessons: texts.map(({ key, lookup, embedding }) => ({
                key,
                ticket: lookup.ticket,
                vector: embedding.vector,
                usableUntil: toThreadTime(endOf(embedding, staleSeconds)),
            })),
        });
        if (sealed === "unavailable" || sealed.length === 0) return;
        try {
            await store?.append(namespace.id, sealed);
            follower?.markSeen(namespace.id, sealed);
        } catch (error) {
            log.debug({ error: String(error) }, "Texts of semantic reuse were not stored");
        }
    }

    return {
        isApplicable: (items, context) => {
            const dimensions = context.dimensions ?? dependencies.dimensions() ?? 0;
            const isApplicable =
                dimensions <= MAX_DIMENSIONS &&
                items.length <= MAX_TEXTS &&
                items.every(
                    ({ input }) =>
                        input.kind === "text" && input.text.length <= MAX_TEXT_CHARACTERS,
                );
            if (!isApplicable) events.onOutcome("not_applicable", items.length);
            return isApplicable;
        },
        onExactHits: ({ pool }, items) => {
            const hits = exactHits.get(pool);
            if (hits) hits.items += items;
            else if (items > 0) exactHits.set(pool, { items });
        },
        lookUp,
        learn: (texts, { pool }) => {
            const usable = texts.filter(
                ({ embedding, lookup }) =>
                    !embedding.isUnverified &&
                    !embedding.truncated &&
                    embedding.vector.length === lookup.namespace.dimensions,
            );
            for (const [namespace, own] of Map.groupBy(usable, ({ lookup }) => lookup.namespace))
                if (namespaces.use(pool, namespace)) detach(teach(namespace, own));
        },
        forget: (key) => {
            thread.command({ kind: "forget", keys: [key] });
            for (const { ref } of namespaces.all())
                removeStored(() => store?.remove(ref.id, [key]));
        },
        reset: () => {
            thread.command({ kind: "drop", namespace: undefined });
            keeper?.removeAll();
            restart();
        },
        setRules: (next) => {
            rules = next;
            thread.command({ kind: "rules", rules });
        },
        inspect: async ({ input }, context) => {
            if (thread.state().state !== "up" || input.kind !== "text") return "unavailable";
            const found = namespaces.find(context);
            if (found?.state !== "in use") return "no texts";
            return thread.inspect({ kind: "inspect", namespace: found.ref, text: input.text });
        },
        report: () => {
            const state = thread.state();
            const byId = new Map(thread.reports().map((one) => [one.id, one]));
            return {
                thread: state,
                offReason: offReason ?? (state.state === "up" ? undefined : describe(state)),
                namespaces: namespaces.all().flatMap(({ tenant, ref }) => {
                    const one = byId.get(ref.id);
                    return one ? [{ ...one, tenant, dimensions: ref.dimensions }] : [];
                }),
            };
        },
        start: () => {
            if (offReason !== undefined) return;
            thread.start();
            follower?.start();
            keeper?.start();
            timer = setInterval(namespaces.removeInvalidated, WATCH_MILLISECONDS).unref();
        },
        close: async () => {
            clearInterval(timer);
            follower?.stop();
            await keeper?.stop();
            await thread.close();
        },
    };
}

function describe({ state, lastError }: ThreadState): string {
    return lastError === undefined
        ? `the thread is ${state}`
        : `the thread is ${state}: ${lastError}`;
}

/** The lifetime of an answer does not matter, because it is not cached. */
function toResolvedItem(answer: Answer): ResolvedItem | undefined {
    if (answer.outcome !== "served") return undefined;
    const { vector, tokens, similarity, errorBound } = answer;
    return {
        embedding: createEmbedding(vector, tokens, false),
        status: "SEMANTIC",
        quality: { similarity, errorBound },
    };
}
