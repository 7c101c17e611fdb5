import { JOBS, NAMESPACES } from "@property-search/contract";
import { percentToRatio } from "./recording.ts";
import { alert, type Alert } from "./rules.ts";
import type { AlertThresholds } from "./thresholds.ts";

const MONITORING_LABELS = { service: "monitoring", namespace: NAMESPACES.monitoring } as const;

/** Alerts on the monitoring stack itself, on restarting containers and on the Gateway. */
export function platformAlerts(thresholds: AlertThresholds): Alert[] {
    return [
        watchdogAlert(),
        ...targetAlerts(thresholds),
        ...configurationAlerts(),
        ...notificationAlerts(),
        ...storageAlerts(),
        restartAlert(),
        gatewayAlert(thresholds),
    ];
}

/** Always fires: an external dead man's switch raises an alarm when it stops. */
function watchdogAlert(): Alert {
    return alert("Watchdog", {
        ...MONITORING_LABELS,
        topic: "watchdog",
        expr: "vector(1)",
        severity: "none",
        summary: "Alerting works",
        description:
            "This alert always fires. If the dead man's switch does not receive it, no alert is delivered.",
    });
}

function targetAlerts({ jobs }: AlertThresholds): Alert[] {
    return [
        alert("PrometheusTargetDown", {
            // ServiceDown, RedisDown and similar alerts inhibit it by these labels.
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
            summary: "Prometheus finds no target for {{ $labels.job }}",
            description:
                "There is no pod of {{ $labels.job }} to scrape: alerts that need its metrics cannot fire.",
        }),
    ];
}

function configurationAlerts(): Alert[] {
    return [
        alert("PrometheusRuleFailures", {
            ...MONITORING_LABELS,
            topic: "rules",
            expr: "sum by (rule_group) (rate(prometheus_rule_evaluation_failures_total[5m])) > 0",
            for: "5m",
            severity: "critical",
            summary: "Prometheus cannot evaluate rules",
            description:
                "Rules of {{ $labels.rule_group }} fail, so their alerts neither fire nor resolve.",
        }),
        alert("PrometheusConfigReloadFailed", {
            ...MONITORING_LABELS,
            topic: "configuration",
            expr: "max(prometheus_config_last_reload_successful) == 0",
            for: "5m",
            severity: "warning",
            summary: "Prometheus runs with an outdated configuration",
            description: "The last reload failed; a restart would fail as well.",
        }),
        alert("AlertmanagerConfigReloadFailed", {
            ...MONITORING_LABELS,
            topic: "configuration",
            expr: "min(alertmanager_config_last_reload_successful) == 0",
            for: "5m",
            severity: "warning",
            summary: "Alertmanager runs with an outdated configuration",
            description: "The last reload failed; a restart would fail as well.",
        }),
    ];
}

function notificationAlerts(): Alert[] {
    return [
        alert("PrometheusNotificationsFailing", {
            ...MONITORING_LABELS,
            topic: "notifications",
            expr: `sum(rate(prometheus_notifications_errors_total[5m])) > 0
                   or max(prometheus_notifications_alertmanagers_discovered) < 1`,
            for: "5m",
            severity: "critical",
            summary: "Alerts do not reach Alertmanager",
            description:
                "Prometheus cannot send alerts to Alertmanager; most of them are not delivered.",
        }),
        alert("AlertmanagerNotificationsFailing", {
            ...MONITORING_LABELS,
            topic: "notifications",
            expr: "sum by (integration) (rate(alertmanager_notifications_failed_total[5m])) > 0",
            for: "5m",
            severity: "critical",
            summary: "Notifications through {{ $labels.integration }} fail",
            description:
                "{{ $labels.integration }} rejects Alertmanager's notifications or does not respond.",
        }),
    ];
}

function storageAlerts(): Alert[] {
    const used = [
        "storage_blocks_bytes",
        "wal_storage_size_bytes",
        "head_chunks_storage_size_bytes",
    ]
        .map((part) => `max(prometheus_tsdb_${part})`)
        .join(" + ");
    return [
        alert("PrometheusVolumeFillingUp", {
            ...MONITORING_LABELS,
            topic: "volume",
            // The size limit is four fifths of the volume and covers all three.
            expr: `(${used}) / (max(prometheus_tsdb_retention_limit_bytes) > 0) > ${percentToRatio(110)}`,
            for: "15m",
            severity: "warning",
            summary: "The Prometheus volume is filling up",
            description:
                "Prometheus stores {{ $value | humanizePercentage }} of its size limit, which is four fifths of the volume.",
        }),
        alert("PrometheusRetentionShortened", {
            ...MONITORING_LABELS,
            topic: "retention",
            expr: "increase(prometheus_tsdb_size_retentions_total[1d]) > 0",
            severity: "warning",
            summary: "Prometheus deletes data that is younger than 200 hours",
            description: `The size limit deleted blocks in the last day. Objectives over seven days and monthly reports may lack
                data.`,
        }),
        alert("PrometheusRemoteWriteFailing", {
            ...MONITORING_LABELS,
            topic: "remote-write",
            expr: `sum by (remote_name) (rate(prometheus_remote_storage_samples_failed_total[5m])
                   + rate(prometheus_remote_storage_samples_dropped_total[5m])) > 0`,
            for: "10m",
            severity: "warning",
            summary: "Samples do not reach {{ $labels.remote_name }}",
            description: "{{ $value | humanize }} samples/s are not written to the remote storage.",
        }),
    ];
}

function restartAlert(): Alert {
    return alert("PodRestarting", {
        service: "kubernetes",
        topic: "restarts",
        // `increase` extrapolates to the ends of the window: one restart is slightly more than 1.
        expr: `max by (namespace, pod, container) (increase(kube_pod_container_status_restarts_total[15m])) > 1.5`,
        severity: "warning",
        summary: "{{ $labels.pod }} restarts repeatedly",
        description: `Container {{ $labels.container }} of {{ $labels.pod }} in {{ $labels.namespace }} has restarted
            {{ $value | humanize }} times in 15 minutes.`,
    });
}

/** Covers requests that never reach a pod, which the service cannot count. */
function gatewayAlert({ errorPercent, minRequestsPerSecond }: AlertThresholds): Alert {
    const requests = (more: string) =>
        `sum(rate(traefik_entrypoint_requests_total{job="${JOBS.gateway}"${more}}[5m]))`;
    return alert("GatewayErrorRatioHigh", {
        service: "edge",
        namespace: NAMESPACES.edge,
        topic: "errors",
        expr: `${requests(',code=~"5.."')} / (${requests("")} > ${minRequestsPerSecond}) > ${percentToRatio(errorPercent)}`,
        for: "2m",
        severity: "critical",
        summary: `More than ${errorPercent} % of the requests at the Gateway fail`,
        description:
            "{{ $value | humanizePercentage }} of the requests at the Gateway over the last five minutes ended in a 5xx.",
    });
}
