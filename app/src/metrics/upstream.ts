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

/** @param endpoints names of those that there are */
export function upstreamMetrics(registry: Registry, endpoints: readonly string[]): UpstreamEvents {
    const attempts = counterFamily(registry, {
        name: METRICS.upstreamAttempts,
        help: "Attempts at an endpoint, by what came of them",
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
        help: "Calls that the upstream answered",
    }).cell();
    const inputs = counterFamily(registry, {
        name: METRICS.upstreamInputs,
        help: "Inputs of those calls",
    }).cell();
    const requests = counterFamily(registry, {
        name: METRICS.upstreamBatchedRequests,
        help: "Requests that were joined in those calls",
    }).cell();
    const overloaded = counterFamily(registry, {
        name: METRICS.upstreamOverloaded,
        help: "Requests that were refused because they would have waited in vain",
    }).cell();
    const now = { waiting: 0, inFlight: 0, limit: 0 };
    const state = [
        [METRICS.upstreamWaiting, "Inputs that wait for a call", "waiting"],
        [METRICS.upstreamInFlight, "Calls under way", "inFlight"],
        [METRICS.upstreamLimit, "Calls that may be under way", "limit"],
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
