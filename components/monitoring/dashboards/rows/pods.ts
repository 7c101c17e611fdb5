import { METRICS, SERIES } from "@property-search/contract";
import type { Row } from "../dashboard.ts";
import type { DashboardsOptions } from "../options.ts";
import { goodBelow } from "../palette.ts";
import { graph } from "../panels.ts";
import { ofEachColour, OF_COLOURS, OF_SERVICE, query, rate } from "../queries.ts";
import { UNITS } from "../units.ts";

const MEMORY_LIMIT = `kube_pod_container_resource_limits${OF_COLOURS.replace("}", ',resource="memory"}')}`;

export function pods({ missesPerPod }: DashboardsOptions): Row {
    const ofHpa = (figure: string) =>
        ofEachColour(`kube_horizontalpodautoscaler_${figure}${OF_COLOURS}`);
    return {
        id: 102,
        title: "Pods and scaling",
        panels: [
            graph({
                id: 30,
                title: "Autoscaler",
                description:
                    "Pods that there are, that the autoscaler wants, and that it may have at most.",
                unit: UNITS.count,
                width: 8,
                stepped: true,
                queries: [
                    query(ofHpa("status_current_replicas"), "{{colour}} current"),
                    query(ofHpa("status_desired_replicas"), "{{colour}} desired"),
                    query(ofHpa("spec_max_replicas"), "{{colour}} max"),
                ],
            }),
            graph({
                id: 31,
                title: "Misses of a pod",
                description:
                    "Items a second that each pod had to ask the upstream for: what the autoscaler shares out.",
                unit: UNITS.itemsPerSecond,
                width: 8,
                ...(missesPerPod !== undefined && { steps: goodBelow(missesPerPod) }),
                queries: [query(SERIES.podMisses, "{{pod}}")],
            }),
            graph({
                id: 32,
                title: "Pods that answer",
                description: "Pods of the service that Prometheus reaches.",
                unit: UNITS.count,
                width: 8,
                stepped: true,
                stacked: true,
                queries: [query(SERIES.podsUp.colour, "{{colour}}")],
            }),
            graph({
                id: 33,
                title: "CPU",
                description: "Cores that each pod's process uses.",
                unit: UNITS.count,
                width: 6,
                queries: [
                    query(
                        `sum by (pod) (${rate(`process_cpu_seconds_total${OF_SERVICE}`)})`,
                        "{{pod}}",
                    ),
                ],
            }),
            graph({
                id: 34,
                title: "Memory",
                description:
                    "Resident bytes of each pod's process: heap, its cache, and the model's own memory.",
                unit: UNITS.bytes,
                width: 6,
                queries: [
                    query(`max by (pod) (process_resident_memory_bytes${OF_SERVICE})`, "{{pod}}"),
                    query(`max(${MEMORY_LIMIT})`, "limit"),
                ],
            }),
            graph({
                id: 35,
                title: "Event loop lag",
                description:
                    "p99 between two scrapes of how late a pod gets to its work. All requests of the pod wait so long.",
                unit: UNITS.seconds,
                width: 6,
                queries: [
                    query(
                        `max by (pod) (nodejs_eventloop_lag_p99_seconds${OF_SERVICE})`,
                        "{{pod}}",
                    ),
                ],
            }),
            graph({
                id: 36,
                title: "Requests in flight",
                description: "Requests that each pod is now answering.",
                unit: UNITS.count,
                width: 6,
                queries: [query(`max by (pod) (${METRICS.inFlight})`, "{{pod}}")],
            }),
            graph({
                id: 37,
                title: "The pods' own caches",
                description: "Entries that each pod holds in its memory.",
                unit: UNITS.count,
                width: 8,
                queries: [query(`max by (pod) (${METRICS.localEntries})`, "{{pod}}")],
            }),
            graph({
                id: 38,
                title: "Bytes of the pods' own caches",
                description: "Memory that each pod reserved for its entries.",
                unit: UNITS.bytes,
                width: 8,
                queries: [query(`max by (pod) (${METRICS.localBytes})`, "{{pod}}")],
            }),
            graph({
                id: 39,
                title: "Scaling events",
                description: "Times that the number of pods that the autoscaler wants has changed.",
                unit: UNITS.count,
                width: 8,
                stepped: true,
                queries: [
                    query(
                        ofEachColour(
                            `changes(kube_horizontalpodautoscaler_status_desired_replicas${OF_COLOURS}[$__rate_interval])`,
                        ),
                        "{{colour}}",
                    ),
                ],
            }),
        ],
    };
}
