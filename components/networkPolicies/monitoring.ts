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

/** What is monitored, and who reads and is told. */
export interface MonitoringFlows {
    /** Namespaces beside monitoring whose pods ask Prometheus, such as the autoscaler's. */
    readonly readers: readonly string[];
    /** Whence the API server answers; none: anywhere. */
    readonly apiServerCidrs: readonly string[];
    /** Where the gateway's figures are; undefined: it is not scraped. */
    readonly gateway?: { readonly peers: readonly Peer[]; readonly port: number } | undefined;
    /** Whether Redis is watched. */
    readonly exporter: boolean;
    /** Namespace of an existing Prometheus; undefined: it is in the namespace of monitoring. */
    readonly existingNamespace?: string | undefined;
    /** Whether there is a Grafana. */
    readonly grafana: boolean;
    /** What Prometheus writes to; none: it writes nowhere. */
    readonly remoteWrite: readonly Destination[];
    /** Receivers of Alertmanager; none: it notifies nobody. */
    readonly receivers: readonly Destination[];
}

const PROMETHEUS = pods(MONITORING_NAMES.prometheus);
const ALERTMANAGER = pods(MONITORING_NAMES.alertmanager);
const GRAFANA = pods(MONITORING_NAMES.grafana);
const KUBE_STATE = pods(MONITORING_NAMES.kubeStateMetrics);
const EXPORTER = pods(MONITORING_NAMES.redisExporter);

const BY_PROMETHEUS: Peer[] = [{ podSelector: { matchLabels: PROMETHEUS } }];

/** Out of pods to the API server. @param cidrs whence it answers; none: anywhere. */
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

/** Of the namespace of monitoring. */
export function monitoringPolicies(traffic: MonitoringFlows): Record<string, PolicySpec> {
    const { readers, apiServerCidrs, gateway, grafana, remoteWrite, receivers } = traffic;
    const kubeState = {
        "allow-kube-state-api-server": apiServerEgress(apiServerCidrs, KUBE_STATE),
        "allow-kube-state": allowIngress(
            traffic.existingNamespace === undefined
                ? BY_PROMETHEUS
                : [namespacePeer(traffic.existingNamespace)],
            [tcp(PORTS.kubeStateMetrics)],
            KUBE_STATE,
        ),
    };
    if (traffic.existingNamespace !== undefined) return kubeState;
    return {
        // One port answers queries and takes the commands of its lifecycle (reload, quit): whoever may ask
        // may do that too. Hence these and nobody else.
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
        "allow-alerts": allowIngress(BY_PROMETHEUS, [tcp(PORTS.alertmanager)], ALERTMANAGER),
        "allow-alertmanagers-in": allowIngress(ALERTMANAGERS, GOSSIP, ALERTMANAGER),
        "allow-alertmanagers-out": allowEgress(ALERTMANAGERS, GOSSIP, ALERTMANAGER),
        ...(grafana && {
            "allow-grafana": allowIngress(BY_PROMETHEUS, [tcp(PORTS.grafana)], GRAFANA),
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

/** Of the namespace of data: Prometheus asks the exporter, which asks Redis and nobody else. */
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
