import { JOBS, METRICS, SERIES, TRAFFIC_WEIGHT } from "@property-search/contract";
import { shareOf } from "./recording.ts";
import { alert, type Alert } from "./rules.ts";
import { IN_COLOURS, OF_COLOUR, OF_SERVICE, withColour } from "./subjects.ts";
import type { AlertThresholds } from "./thresholds.ts";

/** What clients of the embedding service notice, or soon will. */
export function serviceAlerts(thresholds: AlertThresholds): Alert[] {
    return [
        ...hitRate(thresholds),
        latency(thresholds),
        down(),
        errors(thresholds),
        trafficGone(thresholds),
        ...upstream(thresholds),
        ...capacity(),
    ];
}

/** Of rates, so that it recovers; and only where enough is looked up for a share to mean something. */
function hitRate({ hitRatePercent, trafficPerSecond }: AlertThresholds): Alert[] {
    const below = (percent: number) =>
        `${SERIES.hitRatio.colour} < ${shareOf(percent)}
         and on (colour) ${SERIES.lookups.colour} > ${trafficPerSecond}`;
    const shared = {
        ...OF_COLOUR,
        topic: "hit-rate",
        description: `Of the last five minutes' lookups in {{ $labels.colour }} only {{ $value | humanizePercentage }} were hits.
            Each miss costs an upstream call's time and money.`,
    };
    return [
        alert("EmbeddingCacheHitRateLow", {
            ...shared,
            expr: below(hitRatePercent.warning),
            for: "5m",
            severity: "warning",
            summary: `Hit rate of {{ $labels.colour }} is below ${hitRatePercent.warning} %`,
        }),
        alert("EmbeddingCacheHitRateCritical", {
            ...shared,
            expr: below(hitRatePercent.critical),
            for: "2m",
            severity: "critical",
            summary: `Hit rate of {{ $labels.colour }} is below ${hitRatePercent.critical} %`,
        }),
    ];
}

/** The quantile is of rated buckets: one of the counters themselves is of the pods' whole life. */
function latency({ p95Seconds, trafficPerSecond }: AlertThresholds): Alert {
    return alert("EmbeddingLatencyHigh", {
        ...OF_COLOUR,
        topic: "latency",
        expr: `${SERIES.p95.colour} > ${p95Seconds}
               and on (colour) ${SERIES.requests.colour} > ${trafficPerSecond}`,
        for: "5m",
        severity: "warning",
        summary: `p95 of {{ $labels.colour }} is above ${p95Seconds} s`,
        description: `Of the last five minutes' requests to {{ $labels.colour }} a twentieth took longer than
            {{ $value | humanizeDuration }}.`,
    });
}

/**
 * Only of a colour that carries weight, so that the idle one may be gone and cannot hide that the other
 * is; `unless` also holds where the pods' series are gone. Without the weights, every colour counts.
 */
function down(): Alert {
    const up = `up{job="${JOBS.service}"}`;
    return alert("EmbeddingServiceDown", {
        ...OF_COLOUR,
        topic: "down",
        expr: `((max by (colour) (${TRAFFIC_WEIGHT}) > 0) unless on (colour) (sum by (colour) (${up}) > 0))
               or ((sum by (colour) (${up}) == 0) unless on () group(${TRAFFIC_WEIGHT}))
               or label_replace(absent(sum(${up})) unless on () group(${TRAFFIC_WEIGHT}), "colour", "all", "", "")`,
        for: "1m",
        severity: "critical",
        summary: "No pod of {{ $labels.colour }} answers, and traffic goes there",
        description: `Prometheus has reached no pod of {{ $labels.colour }} for a minute. Clients whose requests go there get
            errors.`,
    });
}

function errors({ errorPercent, trafficPerSecond }: AlertThresholds): Alert {
    return alert("EmbeddingErrorRatioHigh", {
        ...OF_COLOUR,
        topic: "errors",
        expr: `${SERIES.errorRatio.colour} > ${shareOf(errorPercent)}
               and on (colour) ${SERIES.requests.colour} > ${trafficPerSecond}`,
        for: "2m",
        severity: "critical",
        summary: `More than ${errorPercent} % of the requests to {{ $labels.colour }} fail`,
        description: `{{ $value | humanizePercentage }} of the last five minutes' requests to {{ $labels.colour }} ended in a 5xx.`,
    });
}

/** The pods are well and nobody comes: a broken edge shows nowhere else. */
function trafficGone({ trafficPerSecond }: AlertThresholds): Alert {
    const requests = SERIES.requests.service;
    return alert("EmbeddingTrafficGone", {
        ...OF_SERVICE,
        topic: "traffic",
        expr: `${requests} == 0 and avg_over_time(${requests}[1h] offset 10m) > ${trafficPerSecond}`,
        for: "5m",
        severity: "warning",
        summary: "No request arrives any more",
        description: `The pods answer Prometheus and have had no request for ten minutes, after an hour with more than
            ${trafficPerSecond} a second.`,
    });
}

/** A refused input is the client's fault. */
function upstream({ upstreamErrorPercent }: AlertThresholds): Alert[] {
    const attempts = (outcomes: string) =>
        `sum by (colour, endpoint) (rate(${METRICS.upstreamAttempts}{${outcomes}}[5m]))`;
    return [
        alert("EmbeddingUpstreamFailing", {
            ...OF_COLOUR,
            topic: "upstream",
            expr: `${attempts('outcome!~"ok|refused_input"')} / (${attempts('outcome!="refused_input"')} > 0)
                   > ${shareOf(upstreamErrorPercent)}`,
            for: "5m",
            severity: "warning",
            summary: "Upstream {{ $labels.endpoint }} fails for {{ $labels.colour }}",
            description: `{{ $value | humanizePercentage }} of the attempts at {{ $labels.endpoint }} fail. Hits are answered as
                ever; misses wait for retries, go to a fallback, are answered stale or fail.`,
        }),
        alert("EmbeddingUpstreamOverloaded", {
            ...OF_COLOUR,
            topic: "upstream",
            expr: `sum by (colour) (rate(${METRICS.upstreamOverloaded}[5m])) > 0`,
            for: "5m",
            severity: "warning",
            summary: "Requests to {{ $labels.colour }} are refused, since misses queue",
            description: `{{ $value | humanize }} requests a second are refused because they would have waited in vain: more is
                missed than the upstream takes.`,
        }),
    ];
}

function capacity(): Alert[] {
    const ofAutoscaler = (metric: string, more = "") =>
        `max by (namespace, horizontalpodautoscaler) (kube_horizontalpodautoscaler_${metric}{${IN_COLOURS}${more}})`;
    const limit = ofAutoscaler("spec_max_replicas");
    const service = OF_COLOUR.service;
    return [
        alert("EmbeddingPodsMissing", {
            service,
            topic: "pods",
            expr: withColour(
                `max by (namespace, deployment) (kube_deployment_status_replicas_available{${IN_COLOURS}})
                 < max by (namespace, deployment) (kube_deployment_spec_replicas{${IN_COLOURS}})`,
            ),
            for: "10m",
            severity: "warning",
            summary: "Pods of {{ $labels.deployment }} are missing",
            description:
                "Only {{ $value }} pods of {{ $labels.deployment }} have been available for ten minutes, fewer than asked for.",
        }),
        alert("EmbeddingAutoscalerAtLimit", {
            service,
            topic: "autoscaler",
            // An autoscaler whose floor is its limit is always there.
            expr: withColour(
                `${ofAutoscaler("status_current_replicas")} == ${limit}
                 and ${limit} > ${ofAutoscaler("spec_min_replicas")}`,
            ),
            for: "15m",
            severity: "warning",
            summary: "The autoscaler of {{ $labels.namespace }} is at its limit",
            description:
                "{{ $value }} pods have run for 15 minutes, which is all that is allowed: more load finds no more pods.",
        }),
        alert("EmbeddingAutoscalerBlind", {
            service,
            topic: "autoscaler",
            expr: withColour(
                `${ofAutoscaler("status_condition", ',condition="ScalingActive",status="false"')} == 1`,
            ),
            for: "5m",
            severity: "warning",
            summary: "The autoscaler of {{ $labels.namespace }} has no figures",
            description:
                "{{ $labels.horizontalpodautoscaler }} cannot read its metrics, and so follows no load.",
        }),
    ];
}
