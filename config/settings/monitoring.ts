import {
    ADDRESS,
    BOOLEAN,
    integer,
    oneOf,
    setting,
    text,
    token,
} from "@property-search/contract/settings";
import { parseCpu } from "@property-search/contract";
import {
    DEFAULT_KUBE_STATE_METRICS_IMAGE,
    DEFAULT_REDIS_EXPORTER_IMAGE,
} from "../../components/monitoring.ts";
import { DEFAULT_ALERTMANAGER } from "../../components/monitoring/alertmanager.ts";
import {
    DEFAULT_PROMETHEUS,
    PROMETHEUS_CPU_LIMIT,
} from "../../components/monitoring/prometheus.ts";
import {
    bytes,
    CIDR,
    cpus,
    DNS_LABEL,
    ENDPOINT,
    HOST_PORT,
    image,
    LABEL_VALUE,
    LABELS,
    listOf,
    LOGIN,
    OBJECT_NAME,
    USER,
} from "../allowed.ts";
import { GENERATED, isNot, isSet, OUR_PROMETHEUS, SECRET, usedIf, type Condition } from "./row.ts";

const API_URL = text(
    isApiUrl,
    "a base URL without query, such as http://prometheus-operated.monitoring.svc:9090; " +
        "http inside the cluster (host *.svc), https elsewhere",
);
const MOST_CPUS = parseCpu(PROMETHEUS_CPU_LIMIT) ?? NaN;
const PROMETHEUS_CPUS = cpus(MOST_CPUS, `no more than ${MOST_CPUS}, its limit`);

const OURS = usedIf(OUR_PROMETHEUS);
const REMOTE: Condition = ["monitoring.remoteWriteUrl", isSet];

export const MONITORING = {
    "monitoring.enabled": setting(BOOLEAN, true)`
        Whether the stack includes monitoring. Without it there is no miss-rate metric, so autoscaling.metric must be
        none.`,
    "prometheus.source": setting(oneOf("stack", "operator", "external"), "stack")`
        Prometheus that monitors the stack: stack (its own, with Alertmanager and Grafana), operator (one of the
        Prometheus Operator, which reads PodMonitors and a PrometheusRule) or external (another one, which loads the
        ConfigMap prometheus-rules). docs/monitoring/existing.md says what each needs.`,
    "prometheus.url": setting(API_URL, "")`
        Base URL of an existing Prometheus' HTTP API: http for a Service (*.svc), otherwise https. Required unless
        prometheus.source is stack.`,
    "prometheus.namespace": setting(DNS_LABEL, "")`
        Namespace of the pods that scrape. Required unless prometheus.source is stack.`,
    "prometheus.labels": setting(LABELS, {})`
        Labels by which an existing Prometheus selects PodMonitors and rules. Not set: none.`,
    "prometheus.token": setting(LOGIN, "", SECRET)`
        Bearer token of that API, set with --secret. Not set: none.`,
    "monitoring.prometheusImage": setting(
        image(["Prometheus", 2, 42]),
        DEFAULT_PROMETHEUS.image,
        OURS,
    )`
        Image of Prometheus 2.42 or newer.`,
    "monitoring.kubeStateMetricsImage": setting(
        image(["kube-state-metrics", 2, 15]),
        DEFAULT_KUBE_STATE_METRICS_IMAGE,
    )`
        Image of kube-state-metrics 2.15 or newer.`,
    "monitoring.redisExporterImage": setting(
        image(["redis_exporter", 1, 45]),
        DEFAULT_REDIS_EXPORTER_IMAGE,
        usedIf(["redis.mode", isNot("external")]),
    )`
        Image of redis_exporter 1.45 or newer. Not used when redis.mode is external.`,
    "monitoring.cpuRequest": setting(PROMETHEUS_CPUS, DEFAULT_PROMETHEUS.cpuRequest, OURS)`
        CPU request of Prometheus.`,
    "monitoring.memoryLimit": setting(bytes("16Ti", "256Mi"), DEFAULT_PROMETHEUS.memoryLimit, OURS)`
        Memory limit of Prometheus; the request is half of it.`,
    "monitoring.storage": setting(bytes("64Ti", "256Mi"), DEFAULT_PROMETHEUS.storage, OURS)`
        Size of Prometheus' volume; four fifths of it hold data, of at most 200 hours.`,
    "monitoring.storageClass": setting(OBJECT_NAME, "", OURS)`
        Storage class of the volumes of Prometheus and Alertmanager. Not set: the cluster's default.`,
    "monitoring.cluster": setting(LABEL_VALUE, "", OURS)`
        Label "cluster" of alerts and remotely written samples, which tells stacks apart. Not set: none.`,
    "monitoring.gatewayAddress": setting(HOST_PORT, "")`
        Address of the gateway's metrics, whose host resolves to the addresses of its pods, as a Service with clusterIP
        None does. Not set: the gateway is not scraped.`,
    "monitoring.apiServerCidrs": setting(listOf(CIDR), [])`
        Address ranges of the API server, on port 443 or 6443, that network policies let Prometheus connect to. Empty:
        any.`,
    "monitoring.remoteWriteUrl": setting(ENDPOINT, "")`
        URL that Prometheus writes all samples to (remote write). Not set: none.`,
    "monitoring.remoteWriteUsername": setting(USER, "", usedIf(REMOTE))`
        User name for that URL. Not set: monitoring.remoteWriteToken is a bearer token.`,
    "monitoring.remoteWriteToken": setting(LOGIN, "", { ...SECRET, ...usedIf(REMOTE) })`
        Password or bearer token for that URL, set with --secret. Not set: no authentication.`,
    "alertmanager.image": setting(image(["Alertmanager", 0, 25]), DEFAULT_ALERTMANAGER.image)`
        Image of Alertmanager 0.25 or newer.`,
    "alertmanager.replicas": setting(integer(1, 5), DEFAULT_ALERTMANAGER.replicas)`
        Number of Alertmanager pods. Each receives every alert, and one of them notifies; the strict policies require at
        least 2.`,
    "grafana.enabled": setting(BOOLEAN, true)`Whether Grafana shows the dashboards.`,
    "grafana.image": setting(image(["Grafana", 12, 0]), "grafana/grafana:12.4.0")`
        Image of Grafana 12 or newer.`,
    "grafana.adminPassword": setting(token(8, "a password"), "", GENERATED)`
        Password of Grafana's user "admin". Generated on the stack's first deploy.`,
    "grafana.secretKey": setting(token(8), "", GENERATED)`
        Key with which Grafana encrypts secrets in its database. Generated on the stack's first deploy.`,
    "keda.namespace": setting(
        DNS_LABEL,
        "keda",
        usedIf(["autoscaling.metric", isNot("none")], OUR_PROMETHEUS),
    )`
        Namespace of KEDA or prometheus-adapter, whose pods may query the stack's own Prometheus.`,
};

const CLUSTER_HOST = /\.svc(\.[-a-z0-9.]+)?$/;

function isApiUrl(value: string): boolean {
    if (!ADDRESS.fits(value)) return false;
    const { hostname, protocol } = new URL(value);
    return protocol === (CLUSTER_HOST.test(hostname) ? "http:" : "https:");
}
