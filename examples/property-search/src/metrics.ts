import { CACHE_STATUSES } from "@property-search/contract";
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from "prom-client";

/** Outcomes of a call of the embeddings API: its x-cache header, MIXED for several in one, NONE without it, ERROR. */
export const EMBEDDING_OUTCOMES = [...CACHE_STATUSES, "MIXED", "NONE", "ERROR"] as const;
export const EMBEDDING_PURPOSES = ["listings", "pois", "chat"] as const;
export type EmbeddingPurpose = (typeof EMBEDDING_PURPOSES)[number];

export type Metrics = ReturnType<typeof createMetrics>;

export function createMetrics(countSessions: () => number) {
    const registry = new Registry();
    const registers = [registry];
    collectDefaultMetrics({ register: registry });
    const requests = new Counter({
        name: "property_search_requests_total",
        help: "Answered requests by route and status.",
        labelNames: ["route", "status"],
        registers,
    });
    const duration = new Histogram({
        name: "property_search_request_duration_seconds",
        help: "Time from a request's head to the end of its answer.",
        labelNames: ["route"],
        buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
        registers,
    });
    const calls = new Counter({
        name: "property_search_embedding_calls_total",
        help: "Calls of the embeddings API by purpose and outcome: x-cache, MIXED, NONE or ERROR.",
        labelNames: ["purpose", "outcome"],
        registers,
    });
    for (const purpose of EMBEDDING_PURPOSES) {
        for (const outcome of EMBEDDING_OUTCOMES) calls.inc({ purpose, outcome }, 0);
    }
    const answers = new Counter({
        name: "property_search_chat_answers_total",
        help: "Answers of the chat by their source: the listings, the chat API, or the listings after it failed.",
        labelNames: ["source"],
        registers,
    });
    for (const source of ["listings", "chat", "fallback"]) answers.inc({ source }, 0);
    new Gauge({
        name: "property_search_sessions",
        help: "Chat sessions that are remembered.",
        registers,
        collect() {
            this.set(countSessions());
        },
    });
    return {
        read: () => registry.metrics(),
        contentType: registry.contentType,
        onAnswer: (route: string, status: number, seconds: number) => {
            requests.inc({ route, status: `${status}` });
            duration.observe({ route }, seconds);
        },
        onEmbeddingCall: (purpose: EmbeddingPurpose, cache: string | undefined) =>
            calls.inc({ purpose, outcome: outcomeOf(cache) }),
        onChatAnswer: (source: "listings" | "chat" | "fallback") => answers.inc({ source }),
    };
}

function outcomeOf(cache: string | undefined): (typeof EMBEDDING_OUTCOMES)[number] {
    if (cache === undefined) return "NONE";
    // A foreign value must not become a label.
    return EMBEDDING_OUTCOMES.find((outcome) => outcome === cache) ?? "MIXED";
}
