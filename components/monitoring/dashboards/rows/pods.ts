import { METRICS, SERIES } from "@property-search/contract";
import type { Row } from "../dashboard.ts";
import type { DashboardsOptions } from "../options.ts";
import { lowIsGood } from "../palette.ts";
import { graphPanel } from "../panels.ts";
import { byColour, COLOUR_SELECTOR, query, rate, SERVICE_SELECTOR } from "../queries.ts";
import { UNITS } from "../units.ts";

const MEMORY_LIMIT = `kube_pod_container_resource_limits${COLOUR_SELECTOR.replace("}", ',resource="memory"}')}`;

export function podsRow({ missesPerPod }: DashboardsOptions): Row {
    const autoscalerMetric = (metric: string) =>
        byColour(`kube_horizontalpodautoscaler_${metric}${COLOUR_SELECTOR}`);
    return {
        id: 102,
        title: "Pods and scaling",
        panels: [
            graphPanel({
                id: 30,
                title: "Autoscaler",
                description:
                    "Current, desired and maximum replica counts of each colour's autoscaler.",
                unit: UNITS.count,
                width: 8,
                stepped: true,
                queries: [
                    query(autoscalerMetric("status_current_replicas"), "{{colour}} current"),
                    query(autoscalerMetric("status_desired_replicas"), "{{colour}} desired"),
                    query(autoscalerMetric("spec_max_replicas"), "{{colour}} max"),
                ],
            }),
            graphPanel({
                id: 31,
                title: "Misses per pod",
                description:
                    "Items per second that each pod requests from the upstream: the autoscaler's metric.",
                unit: UNITS.itemsPerSecond,
                width: 8,
                ...(missesPerPod !== undefined && { steps: lowIsGood(missesPerPod) }),
                queries: [query(SERIES.podMisses, "{{pod}}")],
            }),
            graphPanel({
                id: 32,
                title: "Pods up",
                description: "Pods of the service that Prometheus can scrape.",
                unit: UNITS.count,
                width: 8,
                stepped: true,
                stacked: true,
                queries: [query(SERIES.podsUp.colour, "{{colour}}")],
            }),
            graphPanel({
                id: 33,
                title: "CPU",
                description: "CPU cores used by each pod's process.",
                unit: UNITS.count,
                width: 6,
                queries: [
                    query(
                        `sum by (pod) (${rate(`process_cpu_seconds_total${SERVICE_SELECTOR}`)})`,
                        "{{pod}}",
                    ),
                ],
            }),
            graphPanel({
                id: 34,
                title: "Memory",
                description: "Resident memory of each pod's process: heap, local cache and model.",
                unit: UNITS.bytes,
                width: 6,
                queries: [
                    query(
                        `max by (pod) (process_resident_memory_bytes${SERVICE_SELECTOR})`,
                        "{{pod}}",
                    ),
                    query(`max(${MEMORY_LIMIT})`, "limit"),
                ],
            }),
            graphPanel({
                id: 35,
                title: "Event loop lag",
                description:
                    "99th percentile of the event loop delay between two scrapes. It delays every request of the pod.",
                unit: UNITS.seconds,
                width: 6,
                queries: [
                    query(
                        `max by (pod) (nodejs_eventloop_lag_p99_seconds${SERVICE_SELECTOR})`,
                        "{{pod}}",
                    ),
                ],
            }),
            graphPanel({
                id: 36,
                title: "Requests in flight",
                description: "Requests that each pod is processing.",
                unit: UNITS.count,
                width: 6,
                queries: [query(`max by (pod) (${METRICS.inFlight})`, "{{pod}}")],
            }),
            graphPanel({
                id: 37,
                title: "Local cache entries",
                description: "Entries in each pod's local cache.",
                unit: UNITS.count,
                width: 8,
                queries: [query(`max by (pod) (${METRICS.localEntries})`, "{{pod}}")],
            }),
            graphPanel({
                id: 38,
                title: "Local cache size",
                description: "Memory reserved for each pod's local cache.",
                unit: UNITS.bytes,
                width: 8,
                queries: [query(`max by (pod) (${METRICS.localBytes})`, "{{pod}}")],
            }),
            graphPanel({
                id: 39,
                title: "Scaling events",
                description: "Changes of the autoscaler's desired replica count.",
                unit: UNITS.count,
                width: 8,
                stepped: true,
                queries: [
                    query(
                        byColour(
                            `changes(kube_horizontalpodautoscaler_status_desired_replicas${COLOUR_SELECTOR}[$__rate_interval])`,
                        ),
                        "{{colour}}",
                    ),
                ],
            }),
        ],
    };
}
