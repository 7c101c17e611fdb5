import { COLOURS, LABELS, MONITORING_NAMES, NAMESPACES, PORTS } from "@property-search/contract";
import {
    API_SERVER_PORTS,
    allowEgress,
    allowEgressTo,
    allowIngress,
    namespacePeer,
    cidrPeer,
    EXTERNAL_PEERS,
    SAME_NAMESPACE,
    tcp,
    udp,
    type Destination,
    type Peer,
    type PolicySpec,
} from "./policies.ts";

/** Connections of the monitoring stack. */
export interface MonitoringFlows {
    /** Other namespaces whose pods query Prometheus, such as the autoscaler's. */
    readonly readers: readonly string[];
    /** Address ranges of the API server. Empty: any address. */
    readonly apiServerCidrs: readonly string[];
    /** Metrics endpoint of the gateway. Undefined: the gateway is not scraped. */
    readonly gateway?: { readonly peers: readonly Peer[]; readonly port: number } | undefined;
    /** Whether the Redis exporter runs. */
    readonly exporter: boolean;
    /** Namespace of an existing Prometheus. Undefined: Prometheus is in the monitoring namespace. */
    readonly existingNamespace?: string | undefined;
    /** Whether Grafana runs. */
    readonly grafana: boolean;
    /** Remote-write endpoints of Prometheus. */
    readonly remoteWrite: readonly Destination[];
    /** Receivers of Alertmanager. */
    readonly receivers: readonly Destination[];
}

const PROMETHEUS = pods(MONITORING_NAMES.prometheus);
const ALERTMANAGER = pods(MONITORING_NAMES.alertmanager);
const GRAFANA = pods(MONITORING_NAMES.grafana);
const KUBE_STATE = pods(MONITORING_NAMES.kubeStateMetrics);
const EXPORTER = pods(MONITORING_NAMES.redisExporter);

const FROM_PROMETHEUS: Peer[] = [{ podSelector: { matchLabels: PROMETHEUS } }];

/** Egress of pods to the API server. @param cidrs its address ranges; empty: any address */
export function apiServerEgress(
    cidrs: readonly string[],
    outOf: Record<string, string>,
): PolicySpec {
    return allowEgress(
        cidrs.length > 0 ? cidrs.map(cidrPeer) : EXTERNAL_PEERS,
        API_SERVER_PORTS,
        outOf,
    );
}

/** Policies of the monitoring namespace. */
export function monitoringPolicies(flows: MonitoringFlows): Record<string, PolicySpec> {
    const { readers, apiServerCidrs, gateway, grafana, remoteWrite, receivers } = flows;
    const kubeState = {
        "allow-kube-state-api-server": apiServerEgress(apiServerCidrs, KUBE_STATE),
        "allow-kube-state": allowIngress(
            flows.existingNamespace === undefined
                ? FROM_PROMETHEUS
                : [namespacePeer(flows.existingNamespace)],
            [tcp(PORTS.kubeStateMetrics)],
            KUBE_STATE,
        ),
    };
    if (flows.existingNamespace !== undefined) return kubeState;
    return {
        // The same port serves queries and lifecycle commands (reload, quit), so that each client of queries may
        // also send commands.
        "allow-queries": allowIngress(
            [SAME_NAMESPACE, ...readers.map(namespacePeer)],
            [tcp(PORTS.prometheus)],
            PROMETHEUS,
        ),
        "allow-scrapes": allowEgress(
            COLOURS.map((colour) => namespacePeer(NAMESPACES[colour])),
            [tcp(PORTS.service)],
            PROMETHEUS,
        ),
        "allow-redis-scrapes": allowEgress(
            [namespacePeer(NAMESPACES.data)],
            [tcp(PORTS.redisExporter)],
            PROMETHEUS,
        ),
        "allow-own-scrapes": allowEgress(
            [SAME_NAMESPACE],
            [PORTS.prometheus, PORTS.alertmanager, PORTS.grafana, PORTS.kubeStateMetrics].map(tcp),
            PROMETHEUS,
        ),
        "allow-api-server": apiServerEgress(apiServerCidrs, PROMETHEUS),
        ...kubeState,
        "allow-alerts": allowIngress(FROM_PROMETHEUS, [tcp(PORTS.alertmanager)], ALERTMANAGER),
        "allow-alertmanagers-in": allowIngress(ALERTMANAGERS, GOSSIP, ALERTMANAGER),
        "allow-alertmanagers-out": allowEgress(ALERTMANAGERS, GOSSIP, ALERTMANAGER),
        ...(grafana && {
            "allow-grafana": allowIngress(FROM_PROMETHEUS, [tcp(PORTS.grafana)], GRAFANA),
            "allow-grafana-queries": allowEgress(
                [SAME_NAMESPACE],
                [tcp(PORTS.prometheus)],
                GRAFANA,
            ),
        }),
        ...(gateway && {
            "allow-gateway-scrapes": allowEgress(
                [...gateway.peers],
                [tcp(gateway.port)],
                PROMETHEUS,
            ),
        }),
        ...(remoteWrite.length > 0 && {
            "allow-remote-write": allowEgressTo(remoteWrite, { outOf: PROMETHEUS }),
        }),
        ...(receivers.length > 0 && {
            "allow-notifications": allowEgressTo(receivers, { outOf: ALERTMANAGER }),
        }),
    };
}

/** Policies of the data namespace: Prometheus scrapes the exporter. */
export function exporterPolicies(scrapers: Peer): Record<string, PolicySpec> {
    return {
        "allow-scrapes": allowIngress([scrapers], [tcp(PORTS.redisExporter)], EXPORTER),
    };
}

const ALERTMANAGERS: Peer[] = [{ podSelector: { matchLabels: ALERTMANAGER } }];
const GOSSIP = [tcp(PORTS.alertmanagerPeers), udp(PORTS.alertmanagerPeers)];

function pods(name: string): Record<string, string> {
    return { [LABELS.name]: name };
}
