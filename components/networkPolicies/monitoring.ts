import { COLOURS, LABELS, MONITORING_NAMES, NAMESPACES, PORTS } from "@property-search/contract";
import {
    API_SERVER_PORTS,
    egress,
    egressTo,
    ingress,
    inNamespace,
    inRange,
    OUTSIDE,
    SAME_NAMESPACE,
    tcp,
    udp,
    type Destination,
    type Peer,
    type Spec,
} from "./policies.ts";

/** What is monitored, and who reads and is told. */
export interface MonitoringTraffic {
    /** Namespaces beside monitoring whose pods ask Prometheus, such as the autoscaler's. */
    readonly readers: readonly string[];
    /** Whence the API server answers; none: anywhere. */
    readonly apiServerCidrs: readonly string[];
    /** Where the gateway's figures are; undefined: it is not scraped. */
    readonly gateway?: { readonly peers: readonly Peer[]; readonly port: number } | undefined;
    /** Whether Redis is watched. */
    readonly exporter: boolean;
    /** Namespace of an existing Prometheus; undefined: it is in the namespace of monitoring. */
    readonly existingIn?: string | undefined;
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
export function apiServerEgress(cidrs: readonly string[], outOf: Record<string, string>): Spec {
    return egress(cidrs.length > 0 ? cidrs.map(inRange) : OUTSIDE, API_SERVER_PORTS, outOf);
}

/** Of the namespace of monitoring. */
export function monitoringPolicies(traffic: MonitoringTraffic): Record<string, Spec> {
    const { readers, apiServerCidrs, gateway, grafana, remoteWrite, receivers } = traffic;
    const kubeState = {
        "allow-kube-state-api-server": apiServerEgress(apiServerCidrs, KUBE_STATE),
        "allow-kube-state": ingress(
            traffic.existingIn === undefined ? BY_PROMETHEUS : [inNamespace(traffic.existingIn)],
            [tcp(PORTS.kubeStateMetrics)],
            KUBE_STATE,
        ),
    };
    if (traffic.existingIn !== undefined) return kubeState;
    return {
        // One port answers queries and takes the commands of its lifecycle (reload, quit): whoever may ask
        // may do that too. Hence these and nobody else.
        "allow-queries": ingress(
            [SAME_NAMESPACE, ...readers.map(inNamespace)],
            [tcp(PORTS.prometheus)],
            PROMETHEUS,
        ),
        "allow-scrapes": egress(
            COLOURS.map((colour) => inNamespace(NAMESPACES[colour])),
            [tcp(PORTS.service)],
            PROMETHEUS,
        ),
        "allow-redis-scrapes": egress(
            [inNamespace(NAMESPACES.data)],
            [tcp(PORTS.redisExporter)],
            PROMETHEUS,
        ),
        "allow-own-scrapes": egress(
            [SAME_NAMESPACE],
            [PORTS.prometheus, PORTS.alertmanager, PORTS.grafana, PORTS.kubeStateMetrics].map(tcp),
            PROMETHEUS,
        ),
        "allow-api-server": apiServerEgress(apiServerCidrs, PROMETHEUS),
        ...kubeState,
        "allow-alerts": ingress(BY_PROMETHEUS, [tcp(PORTS.alertmanager)], ALERTMANAGER),
        "allow-alertmanagers-in": ingress(ALERTMANAGERS, GOSSIP, ALERTMANAGER),
        "allow-alertmanagers-out": egress(ALERTMANAGERS, GOSSIP, ALERTMANAGER),
        ...(grafana && {
            "allow-grafana": ingress(BY_PROMETHEUS, [tcp(PORTS.grafana)], GRAFANA),
            "allow-grafana-queries": egress([SAME_NAMESPACE], [tcp(PORTS.prometheus)], GRAFANA),
        }),
        ...(gateway && {
            "allow-gateway-scrapes": egress([...gateway.peers], [tcp(gateway.port)], PROMETHEUS),
        }),
        ...(remoteWrite.length > 0 && {
            "allow-remote-write": egressTo(remoteWrite, { outOf: PROMETHEUS }),
        }),
        ...(receivers.length > 0 && {
            "allow-notifications": egressTo(receivers, { outOf: ALERTMANAGER }),
        }),
    };
}

/** Of the namespace of data: Prometheus asks the exporter, which asks Redis and nobody else. */
export function exporterPolicies(scrapers: Peer): Record<string, Spec> {
    return {
        "allow-scrapes": ingress([scrapers], [tcp(PORTS.redisExporter)], EXPORTER),
    };
}

const ALERTMANAGERS: Peer[] = [{ podSelector: { matchLabels: ALERTMANAGER } }];
const GOSSIP = [tcp(PORTS.alertmanagerPeers), udp(PORTS.alertmanagerPeers)];

function pods(name: string): Record<string, string> {
    return { [LABELS.name]: name };
}
