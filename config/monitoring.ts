import { parseBytes } from "@property-search/contract";
import type { MonitoringSettings } from "../components/monitoring.ts";
import type { GrafanaSettings } from "../components/monitoring/grafana.ts";
import type { PrometheusSettings } from "../components/monitoring/prometheus.ts";
import { readReceivers, readThresholds, SLACK_URL } from "./alerts.ts";
import { CIDR, DNS_LABEL, readControllerNamespace } from "./edge.ts";
import { readImage } from "./images.ts";
import { BYTES, CPUS, GENERATED, pattern, type ConfigReader } from "./reader.ts";
import { OBJECT_NAME } from "./redis.ts";
import { readExistingPrometheus } from "./prometheus.ts";
import { ADDRESS } from "./service.ts";

/** Key of a secret that may be left out, which Pulumi.yaml cannot declare as one. */
export const REMOTE_WRITE_TOKEN = "monitoring.remoteWriteToken";

const SMALLEST = "256Mi";

const LABEL_VALUE = pattern(
    /^[A-Za-z0-9][-\w.]{0,62}$/,
    "a name such as production-eu, at most 63 characters",
);
const USER = pattern(/^[^\s:]+$/, "a user name without blanks and colons");
const HOST_PORT = pattern(
    /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?:[1-9]\d{0,4}$/,
    "host:port such as traefik-metrics.traefik-system.svc.cluster.local:9100",
);

export interface MonitoringConfig extends MonitoringSettings {
    /** Whether the stack brings it. */
    readonly enabled: boolean;
    /** Namespaces beside monitoring whose pods may ask Prometheus. */
    readonly readers: readonly string[];
    /** Whence the API server answers; none: anywhere. */
    readonly apiServerCidrs: readonly string[];
}

/** @param ownRedis whether Redis runs in the data namespace, and an exporter beside it. */
export function readMonitoring(read: ConfigReader, ownRedis: boolean): MonitoringConfig {
    const prometheus = readPrometheus(read);
    const grafana = readGrafana(read);
    const existing = readExistingPrometheus(read);
    const slackUrl = read.secret(SLACK_URL);
    return {
        enabled: read.boolean("monitoring.enabled"),
        prometheus,
        existing,
        alertmanager: {
            image: readImage(read, "alertmanager.image"),
            replicas: read.integer("alertmanager.replicas", 1, 5),
            receivers: readReceivers(read, slackUrl !== undefined),
            slackUrl,
        },
        grafana,
        kubeStateMetricsImage: readImage(read, "monitoring.kubeStateMetricsImage"),
        redisExporterImage: readImage(read, "monitoring.redisExporterImage"),
        storageClass: read.optional("monitoring.storageClass", OBJECT_NAME),
        readers: [read.required("keda.namespace", DNS_LABEL)],
        apiServerCidrs: read.list("monitoring.apiServerCidrs", CIDR),
        thresholds: readThresholds(read, [
            ...(ownRedis ? (["redis"] as const) : []),
            ...(prometheus.gateway ? (["gateway"] as const) : []),
            ...(["kubeState"] as const),
            ...(existing ? [] : (["prometheus", "alertmanager"] as const)),
            ...(grafana && !existing ? (["grafana"] as const) : []),
        ]),
        runbookUrl: read.optional("alerts.runbookUrl", ADDRESS),
    };
}

function readPrometheus(read: ConfigReader): PrometheusSettings {
    const settings = {
        image: readImage(read, "monitoring.prometheusImage"),
        cpuRequest: read.required("monitoring.cpuRequest", CPUS),
        memoryLimit: read.required("monitoring.memoryLimit", BYTES),
        storage: read.required("monitoring.storage", BYTES),
        cluster: read.optional("monitoring.cluster", LABEL_VALUE),
        gateway: readGateway(read),
        remoteWrite: readRemoteWrite(read),
    };
    for (const key of ["memoryLimit", "storage"] as const) {
        if ((parseBytes(settings[key]) ?? NaN) < (parseBytes(SMALLEST) ?? 0)) {
            read.finding(
                `monitoring.${key}`,
                `is "${settings[key]}"; allowed: no less than ${SMALLEST}`,
            );
        }
    }
    return settings;
}

function readGateway(read: ConfigReader): PrometheusSettings["gateway"] {
    const address = read.optional("monitoring.gatewayAddress", HOST_PORT);
    if (address === undefined) return undefined;
    const [host = "", port] = address.split(":");
    return {
        host,
        port: Number(port),
        namespace: readControllerNamespace(read),
    };
}

function readRemoteWrite(read: ConfigReader): PrometheusSettings["remoteWrite"] {
    const url = read.optional("monitoring.remoteWriteUrl", ADDRESS);
    const username = read.optional("monitoring.remoteWriteUsername", USER);
    const token =
        username === undefined
            ? read.secret(REMOTE_WRITE_TOKEN)
            : read.requiredSecret(
                  REMOTE_WRITE_TOKEN,
                  "a password, since monitoring.remoteWriteUsername is set",
              );
    return url === undefined ? undefined : { url, username, token };
}

function readGrafana(read: ConfigReader): GrafanaSettings | undefined {
    const settings = {
        image: readImage(read, "grafana.image"),
        // Without Grafana nobody needs them, but Pulumi demands a value of every secret that is declared.
        adminPassword: read.requiredSecret("grafana.adminPassword", GENERATED),
        secretKey: read.requiredSecret("grafana.secretKey", GENERATED),
    };
    return read.boolean("grafana.enabled") ? settings : undefined;
}
