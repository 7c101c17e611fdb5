import { METRICS } from "@property-search/contract";
import type { Registry } from "prom-client";

import {
    UPSTREAM_OUTCOMES,
    type UpstreamEvents,
    type UpstreamOutcome,
} from "../upstream/upstream.ts";
import { createFamilies, mapKeys, type HistogramSeries, type CounterSeries } from "./families.ts";

const BUCKETS = [0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10] as const;

interface EndpointCounts {
    readonly times: HistogramSeries;
    readonly outcomes: Readonly<Record<UpstreamOutcome, CounterSeries>>;
}

/** @param endpoints names of all endpoints */
export function createUpstreamMetrics(
    registry: Registry,
    endpoints: readonly string[],
): UpstreamEvents {
    const { counter, gauge, histogram } = createFamilies(registry);
    const attempts = counter(METRICS.upstreamAttempts, "Attempts at an endpoint, by outcome");
    const times = histogram(
        METRICS.upstreamAttemptTime,
        "Seconds of attempts at an endpoint",
        BUCKETS,
    );
    const byEndpoint = new Map<string, EndpointCounts>(
        endpoints.map((endpoint) => [
            endpoint,
            {
                times: times.series({ endpoint }),
                outcomes: mapKeys(UPSTREAM_OUTCOMES, (outcome) =>
                    attempts.series({ endpoint, outcome }),
                ),
            },
        ]),
    );
    const calls = counter(METRICS.upstreamCalls, "Successful upstream calls").series();
    const inputs = counter(METRICS.upstreamInputs, "Inputs of successful upstream calls").series();
    const requests = counter(
        METRICS.upstreamBatchedRequests,
        "Requests batched into successful upstream calls",
    ).series();
    const overloaded = counter(
        METRICS.upstreamOverloaded,
        "Requests rejected because the upstream queue is full or too slow",
    ).series();
    const now = { waiting: 0, inFlight: 0, limit: 0 };
    const state = [
        [METRICS.upstreamWaiting, "Inputs that wait for an upstream call", "waiting"],
        [METRICS.upstreamInFlight, "Upstream calls in flight", "inFlight"],
        [METRICS.upstreamLimit, "Limit of upstream calls in flight", "limit"],
    ] as const;
    for (const [name, help, field] of state) gauge(name, help, () => [[{}, now[field]]]);

    return {
        onAttempt: (endpoint, outcome, seconds) => {
            const counts = byEndpoint.get(endpoint);
            if (!counts) return;
            counts.times.observe(seconds);
            counts.outcomes[outcome].value += 1;
        },
        onCall: (count, joined) => {
            calls.value += 1;
            inputs.value += count;
            requests.value += joined;
        },
        onQueueChange: (waiting, inFlight, limit) =>
            Object.assign(now, { waiting, inFlight, limit }),
        onOverload: () => {
            overloaded.value += 1;
        },
    };
}
