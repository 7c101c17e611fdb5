import { METRICS } from "@property-search/contract";
import type { Registry } from "prom-client";

import {
    UPSTREAM_OUTCOMES,
    type UpstreamEvents,
    type UpstreamOutcome,
} from "../upstream/upstream.ts";
import { counterFamily, gauge, histogramFamily, type Buckets, type Cell } from "./families.ts";

const EDGES = [0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10] as const;

interface EndpointCounts {
    readonly times: Buckets;
    readonly outcomes: Readonly<Record<UpstreamOutcome, Cell>>;
}

/** @param endpoints names of all endpoints */
export function upstreamMetrics(registry: Registry, endpoints: readonly string[]): UpstreamEvents {
    const attempts = counterFamily(registry, {
        name: METRICS.upstreamAttempts,
        help: "Attempts at an endpoint, by outcome",
        labelNames: ["endpoint", "outcome"],
    });
    const times = histogramFamily(registry, {
        name: METRICS.upstreamAttemptTime,
        help: "Seconds of attempts at an endpoint",
        edges: EDGES,
    });
    const byEndpoint = new Map<string, EndpointCounts>(
        endpoints.map((endpoint) => [
            endpoint,
            {
                times: times.buckets({ endpoint }),
                outcomes: Object.fromEntries(
                    UPSTREAM_OUTCOMES.map((outcome) => [
                        outcome,
                        attempts.cell({ endpoint, outcome }),
                    ]),
                ) as Record<UpstreamOutcome, Cell>,
            },
        ]),
    );
    const calls = counterFamily(registry, {
        name: METRICS.upstreamCalls,
        help: "Successful upstream calls",
    }).cell();
    const inputs = counterFamily(registry, {
        name: METRICS.upstreamInputs,
        help: "Inputs of successful upstream calls",
    }).cell();
    const requests = counterFamily(registry, {
        name: METRICS.upstreamBatchedRequests,
        help: "Requests batched into successful upstream calls",
    }).cell();
    const overloaded = counterFamily(registry, {
        name: METRICS.upstreamOverloaded,
        help: "Requests rejected because the upstream queue is full or too slow",
    }).cell();
    const now = { waiting: 0, inFlight: 0, limit: 0 };
    const state = [
        [METRICS.upstreamWaiting, "Inputs that wait for an upstream call", "waiting"],
        [METRICS.upstreamInFlight, "Upstream calls in flight", "inFlight"],
        [METRICS.upstreamLimit, "Limit of upstream calls in flight", "limit"],
    ] as const;
    for (const [name, help, field] of state)
        gauge(registry, { name, help }, () => [[{}, now[field]]]);

    return {
        attempted: (endpoint, outcome, seconds) => {
            const counts = byEndpoint.get(endpoint);
            if (!counts) return;
            counts.times.observe(seconds);
            counts.outcomes[outcome].value += 1;
        },
        called: (count, joined) => {
            calls.value += 1;
            inputs.value += count;
            requests.value += joined;
        },
        waiting: (waiting, inFlight, limit) => Object.assign(now, { waiting, inFlight, limit }),
        overloaded: () => {
            overloaded.value += 1;
        },
    };
}
