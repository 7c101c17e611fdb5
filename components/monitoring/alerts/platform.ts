import { JOBS, NAMESPACES } from "@property-search/contract";
import { shareOf } from "./recording.ts";
import { alert, type Alert } from "./rules.ts";
import type { AlertThresholds } from "./thresholds.ts";

const OF_MONITORING = { service: "monitoring", namespace: NAMESPACES.monitoring } as const;

/** Whether everything that should tell us of trouble can still do so, and what runs it. */
export function platformAlerts(thresholds: AlertThresholds): Alert[] {
    return [
        watchdog(),
        ...targets(thresholds),
        ...evaluation(),
        ...notifications(),
        ...storage(),
        restarts(),
        gateway(thresholds),
    ];
}

/** Always fires: whoever expects it from outside learns by its absence that nothing here can call. */
function watchdog(): Alert {
    return alert("Watchdog", {
        ...OF_MONITORING,
        topic: "watchdog",
        expr: "vector(1)",
        severity: "none",
        summary: "Alerting works",
        description:
            "It fires all the time. Its absence at the dead man's switch says that no alert gets through.",
    });
}

function targets({ jobs }: AlertThresholds): Alert[] {
    return [
        alert("PrometheusTargetDown", {
            // A colour's own alert, RedisDown and the like mute it by these labels.
            service: "{{ $labels.job }}",
            topic: "target",
            expr: "min by (job, namespace, pod, instance, colour) (up) == 0",
            for: "5m",
            severity: "warning",
            summary: "Prometheus cannot reach {{ or $labels.pod $labels.instance }}",
            description:
                "{{ or $labels.pod $labels.instance }} in {{ $labels.namespace }} ({{ $labels.job }}) has not answered a scrape for five minutes.",
        }),
        alert("PrometheusTargetMissing", {
            service: "{{ $labels.job }}",
            namespace: NAMESPACES.monitoring,
            topic: "target",
            expr: jobs.map((job) => `absent(up{job="${job}"})`).join(" or "),
            for: "5m",
            severity: "warning",
            summary: "Prometheus finds no target of {{ $labels.job }}",
            description:
                "There is no pod of {{ $labels.job }} to scrape: alerts that need its figures cannot fire.",
        }),
    ];
}

function evaluation(): Alert[] {
    return [
        alert("PrometheusRuleFailures", {
            ...OF_MONITORING,
            topic: "rules",
            expr: "sum by (rule_group) (rate(prometheus_rule_evaluation_failures_total[5m])) > 0",
            for: "5m",
            severity: "critical",
            summary: "Rules cannot be evaluated",
            description:
                "Rules of {{ $labels.rule_group }} fail, and so their alerts neither fire nor resolve.",
        }),
        alert("PrometheusConfigReloadFailed", {
            ...OF_MONITORING,
            topic: "configuration",
            expr: "max(prometheus_config_last_reload_successful) == 0",
            for: "5m",
            severity: "warning",
            summary: "Prometheus runs an older configuration",
            description: "The last reload failed; a restart would fail as well.",
        }),
        alert("AlertmanagerConfigReloadFailed", {
            ...OF_MONITORING,
            topic: "configuration",
            expr: "min(alertmanager_config_last_reload_successful) == 0",
            for: "5m",
            severity: "warning",
            summary: "Alertmanager runs an older configuration",
            description: "The last reload failed; a restart would fail as well.",
        }),
    ];
}

function notifications(): Alert[] {
    return [
        alert("PrometheusNotificationsFailing", {
            ...OF_MONITORING,
            topic: "notifications",
            expr: `sum(rate(prometheus_notifications_errors_total[5m])) > 0
                   or max(prometheus_notifications_alertmanagers_discovered) < 1`,
            for: "5m",
            severity: "critical",
            summary: "Alerts do not reach Alertmanager",
            description:
                "Prometheus cannot hand its alerts to Alertmanager. Whoever reads this got it by luck.",
        }),
        alert("AlertmanagerNotificationsFailing", {
            ...OF_MONITORING,
            topic: "notifications",
            expr: "sum by (integration) (rate(alertmanager_notifications_failed_total[5m])) > 0",
            for: "5m",
            severity: "critical",
            summary: "Notifications by {{ $labels.integration }} fail",
            description:
                "{{ $labels.integration }} refuses or does not answer what Alertmanager sends.",
        }),
    ];
}

function storage(): Alert[] {
    const used = [
        "storage_blocks_bytes",
        "wal_storage_size_bytes",
        "head_chunks_storage_size_bytes",
    ]
        .map((part) => `max(prometheus_tsdb_${part})`)
        .join(" + ");
    return [
        alert("PrometheusVolumeFilling", {
            ...OF_MONITORING,
            topic: "volume",
            // The limit is four fifths of the volume and counts all of these.
            expr: `(${used}) / (max(prometheus_tsdb_retention_limit_bytes) > 0) > ${shareOf(110)}`,
            for: "15m",
            severity: "warning",
            summary: "Prometheus' volume fills up",
            description:
                "Its data are {{ $value | humanizePercentage }} of the limit that leaves a fifth of the volume free.",
        }),
        alert("PrometheusRetentionCut", {
            ...OF_MONITORING,
            topic: "retention",
            expr: "increase(prometheus_tsdb_size_retentions_total[1d]) > 0",
            severity: "warning",
            summary: "Prometheus drops data before their 200 hours are over",
            description: `The size limit took blocks in the last day, so the objectives' seven days and the reports of
                a month may lack data.`,
        }),
        alert("PrometheusRemoteWriteFailing", {
            ...OF_MONITORING,
            topic: "remote-write",
            expr: `sum by (remote_name) (rate(prometheus_remote_storage_samples_failed_total[5m])
                   + rate(prometheus_remote_storage_samples_dropped_total[5m])) > 0`,
            for: "10m",
            severity: "warning",
            summary: "Samples do not reach {{ $labels.remote_name }}",
            description:
                "{{ $value | humanize }} samples a second are lost for the remote storage.",
        }),
    ];
}

function restarts(): Alert {
    return alert("PodRestarting", {
        service: "kubernetes",
        topic: "restarts",
        // Extrapolated to the window's ends, one restart is a little more than 1.
        expr: `max by (namespace, pod, container) (increase(kube_pod_container_status_restarts_total[15m])) > 1.5`,
        severity: "warning",
        summary: "{{ $labels.pod }} restarts again and again",
        description: `Container {{ $labels.container }} of {{ $labels.pod }} in {{ $labels.namespace }} has started anew
            {{ $value | humanize }} times in 15 minutes.`,
    });
}

/** What clients get where no pod is asked at all; the service cannot count that. */
function gateway({ errorPercent, trafficPerSecond }: AlertThresholds): Alert {
    const requests = (more: string) =>
        `sum(rate(traefik_entrypoint_requests_total{job="${JOBS.gateway}"${more}}[5m]))`;
    return alert("GatewayErrorRatioHigh", {
        service: "edge",
        namespace: NAMESPACES.edge,
        topic: "errors",
        expr: `${requests(',code=~"5.."')} / (${requests("")} > ${trafficPerSecond}) > ${shareOf(errorPercent)}`,
        for: "2m",
        severity: "critical",
        summary: `The Gateway answers more than ${errorPercent} % of the requests with an error`,
        description:
            "{{ $value | humanizePercentage }} of the last five minutes' requests at the Gateway ended in a 5xx.",
    });
}
