import { JOBS, METRICS, SERIES, TRAFFIC_WEIGHT } from "@property-search/contract";
import { percentToRatio } from "./recording.ts";
import { alert, type Alert } from "./rules.ts";
import { COLOUR_LABELS, COLOUR_NAMESPACES, SERVICE_LABELS, withColour } from "./subjects.ts";
import type { AlertThresholds } from "./thresholds.ts";

/** Alerts on symptoms that clients of the embedding service notice, or soon will. */
export function serviceAlerts(thresholds: AlertThresholds): Alert[] {
    return [
        ...hitRateAlerts(thresholds),
        responseTimeAlert(thresholds),
        serviceDownAlert(),
        errorRatioAlert(thresholds),
        noTrafficAlert(thresholds),
        ...upstreamAlerts(thresholds),
        ...capacityAlerts(),
    ];
}

/** The ratio is of rates, so that the alert resolves; below `minRequestsPerSecond` lookups a ratio means little. */
function hitRateAlerts({
    hitRateWarningPercent,
    hitRateCriticalPercent,
    minRequestsPerSecond,
}: AlertThresholds): Alert[] {
    const below = (percent: number) =>
        `${SERIES.hitRatio.colour} < ${percentToRatio(percent)}
         and on (colour) ${SERIES.lookups.colour} > ${minRequestsPerSecond}`;
    const shared = {
        ...COLOUR_LABELS,
        topic: "hit-rate",
        description: `Only {{ $value | humanizePercentage }} of the lookups in {{ $labels.colour }} over the last five minutes were hits.
            Each miss adds the latency and cost of an upstream call.`,
    };
    return [
        alert("EmbeddingCacheHitRateLow", {
            ...shared,
            expr: below(hitRateWarningPercent),
            for: "5m",
            severity: "warning",
            summary: `Cache hit rate of {{ $labels.colour }} is below ${hitRateWarningPercent} %`,
        }),
        alert("EmbeddingCacheHitRateCritical", {
            ...shared,
            expr: below(hitRateCriticalPercent),
            for: "2m",
            severity: "critical",
            summary: `Cache hit rate of {{ $labels.colour }} is below ${hitRateCriticalPercent} %`,
        }),
    ];
}

/** The quantile is computed from bucket rates: one of the raw counters would cover the pods' whole lifetime. */
function responseTimeAlert({ latencySeconds, minRequestsPerSecond }: AlertThresholds): Alert {
    return alert("ResponseTimeHigh", {
        ...COLOUR_LABELS,
        topic: "latency",
        expr: `${SERIES.p95.colour} > ${latencySeconds}
               and on (colour) ${SERIES.requests.colour} > ${minRequestsPerSecond}`,
        for: "5m",
        severity: "warning",
        summary: `p95 response time of {{ $labels.colour }} is above ${latencySeconds} s`,
        description: `5 % of the requests to {{ $labels.colour }} over the last five minutes took longer than
            {{ $value | humanizeDuration }}.`,
    });
}

/**
 * Covers only colours with traffic weight: an idle colour may have no pods, and its pods cannot hide an outage of the
 * active one. `unless` also matches when the pods' series are absent. Without the weights, every colour counts.
 */
function serviceDownAlert(): Alert {
    const up = `up{job="${JOBS.service}"}`;
    return alert("ServiceDown", {
        ...COLOUR_LABELS,
        topic: "down",
        expr: `((max by (colour) (${TRAFFIC_WEIGHT}) > 0) unless on (colour) (sum by (colour) (${up}) > 0))
               or ((sum by (colour) (${up}) == 0) unless on () group(${TRAFFIC_WEIGHT}))
               or label_replace(absent(sum(${up})) unless on () group(${TRAFFIC_WEIGHT}), "colour", "all", "", "")`,
        for: "1m",
        severity: "critical",
        summary: "{{ $labels.colour }} receives traffic and has no reachable pod",
        description: `Prometheus has not reached any pod of {{ $labels.colour }} for a minute. Requests that are routed there
            fail.`,
    });
}

function errorRatioAlert({ errorPercent, minRequestsPerSecond }: AlertThresholds): Alert {
    return alert("EmbeddingErrorRatioHigh", {
        ...COLOUR_LABELS,
        topic: "errors",
        expr: `${SERIES.errorRatio.colour} > ${percentToRatio(errorPercent)}
               and on (colour) ${SERIES.requests.colour} > ${minRequestsPerSecond}`,
        for: "2m",
        severity: "critical",
        summary: `More than ${errorPercent} % of the requests to {{ $labels.colour }} fail`,
        description: `{{ $value | humanizePercentage }} of the requests to {{ $labels.colour }} over the last five minutes ended in a 5xx.`,
    });
}

/** Detects a broken edge, which no metric of a healthy pod shows. */
function noTrafficAlert({ minRequestsPerSecond }: AlertThresholds): Alert {
    const requests = SERIES.requests.service;
    return alert("EmbeddingNoTraffic", {
        ...SERVICE_LABELS,
        topic: "traffic",
        expr: `${requests} == 0 and avg_over_time(${requests}[1h] offset 10m) > ${minRequestsPerSecond}`,
        for: "5m",
        severity: "warning",
        summary: "The service receives no requests",
        description: `The pods are up and have received no request for ten minutes, after an hour with more than
            ${minRequestsPerSecond} requests/s.`,
    });
}

/** An input that the upstream rejects is a client error. */
function upstreamAlerts({ upstreamErrorPercent }: AlertThresholds): Alert[] {
    const attempts = (outcomes: string) =>
        `sum by (colour, endpoint) (rate(${METRICS.upstreamAttempts}{${outcomes}}[5m]))`;
    return [
        alert("EmbeddingUpstreamFailing", {
            ...COLOUR_LABELS,
            topic: "upstream",
            expr: `${attempts('outcome!~"ok|rejected_input"')} / (${attempts('outcome!="rejected_input"')} > 0)
                   > ${percentToRatio(upstreamErrorPercent)}`,
            for: "5m",
            severity: "warning",
            summary: "Upstream {{ $labels.endpoint }} fails for {{ $labels.colour }}",
            description: `{{ $value | humanizePercentage }} of the attempts at {{ $labels.endpoint }} fail. Hits are not affected;
                misses are retried, sent to a fallback, answered with stale entries, or fail.`,
        }),
        alert("EmbeddingUpstreamOverloaded", {
            ...COLOUR_LABELS,
            topic: "upstream",
            expr: `sum by (colour) (rate(${METRICS.upstreamOverloaded}[5m])) > 0`,
            for: "5m",
            severity: "warning",
            summary: "{{ $labels.colour }} rejects requests because the upstream queue is full",
            description: `{{ $value | humanize }} requests/s are rejected because the upstream queue is full: the miss rate exceeds
                upstream capacity.`,
        }),
    ];
}

function capacityAlerts(): Alert[] {
    const autoscalerMetric = (metric: string, more = "") =>
        `max by (namespace, horizontalpodautoscaler) (kube_horizontalpodautoscaler_${metric}{${COLOUR_NAMESPACES}${more}})`;
    const limit = autoscalerMetric("spec_max_replicas");
    const service = COLOUR_LABELS.service;
    return [
        alert("EmbeddingPodsUnavailable", {
            service,
            topic: "pods",
            expr: withColour(
                `max by (namespace, deployment) (kube_deployment_status_replicas_available{${COLOUR_NAMESPACES}})
                 < max by (namespace, deployment) (kube_deployment_spec_replicas{${COLOUR_NAMESPACES}})`,
            ),
            for: "10m",
            severity: "warning",
            summary: "{{ $labels.deployment }} has fewer available pods than desired",
            description:
                "Only {{ $value }} pods of {{ $labels.deployment }} have been available for ten minutes, fewer than its replica count.",
        }),
        alert("EmbeddingAutoscalerAtLimit", {
            service,
            topic: "autoscaler",
            // An autoscaler whose minimum equals its maximum is always at its limit.
            expr: withColour(
                `${autoscalerMetric("status_current_replicas")} == ${limit}
                 and ${limit} > ${autoscalerMetric("spec_min_replicas")}`,
            ),
            for: "15m",
            severity: "warning",
            summary: "The autoscaler of {{ $labels.namespace }} is at its maximum",
            description:
                "{{ $value }} pods, the maximum replica count, have run for 15 minutes: more load cannot add pods.",
        }),
        alert("EmbeddingAutoscalerMetricsUnavailable", {
            service,
            topic: "autoscaler",
            expr: withColour(
                `${autoscalerMetric("status_condition", ',condition="ScalingActive",status="false"')} == 1`,
            ),
            for: "5m",
            severity: "warning",
            summary: "The autoscaler of {{ $labels.namespace }} cannot read its metrics",
            description:
                "{{ $labels.horizontalpodautoscaler }} cannot read its metrics, so it does not scale with load.",
        }),
    ];
}
