import { parseBytes, parseCpu } from "@property-search/contract";
import { partsOf, token, type Allowed } from "@property-search/contract/settings";
import { scrapedJobs, type MonitoringSettings } from "../components/monitoring.ts";
import type { GrafanaSettings } from "../components/monitoring/grafana.ts";
import {
    PROMETHEUS_CPU_LIMIT,
    type PrometheusSettings,
} from "../components/monitoring/prometheus.ts";
import { SLACK_URL } from "./alertReceivers.ts";
import { readReceivers, readThresholds } from "./alerts.ts";
import {
    CIDR,
    CPUS,
    DNS_LABEL,
    ENDPOINT,
    FOLDER_ADDRESS,
    HOST_PORT,
    image,
    LABEL_VALUE,
    LOGIN,
    MEMORY,
    OBJECT_NAME,
    STORAGE,
    USER,
} from "./allowed.ts";
import { GENERATED, type ConfigReader } from "./reader.ts";
import { readControllerNamespace } from "./edge.ts";
import { readExistingPrometheus } from "./prometheus.ts";
import { readImage } from "./images.ts";

/** Key of a secret that may be left out, which Pulumi.yaml cannot declare as one. */
export const REMOTE_WRITE_TOKEN = "monitoring.remoteWriteToken";

const SMALLEST = "256Mi";

/** Network policies let Slack's notifications out on this port only. */
const SLACK: Allowed = {
    fits: (value) => {
        const { scheme, port = "443" } = partsOf(value) ?? {};
        return scheme === "https" && port === "443" && ENDPOINT.fits(value);
    },
    words: "an https URL without credentials, on port 443",
};

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
    const slackUrl = read.secret(SLACK_URL, SLACK);
    return {
        enabled: read.boolean("monitoring.enabled"),
        prometheus,
        existing,
        alertmanager: {
            image: readImage(read, "alertmanager.image", image(["Alertmanager", 0, 25])),
            replicas: read.integer("alertmanager.replicas", 1, 5),
            receivers: readReceivers(read, slackUrl !== undefined),
            slackUrl,
        },
        grafana,
        kubeStateMetricsImage: readImage(
            read,
            "monitoring.kubeStateMetricsImage",
            image(["kube-state-metrics", 2, 15]),
        ),
        redisExporterImage: readImage(
            read,
            "monitoring.redisExporterImage",
            image(["redis_exporter", 1, 45]),
        ),
        storageClass: read.optional("monitoring.storageClass", OBJECT_NAME),
        readers: [read.required("keda.namespace", DNS_LABEL)],
        apiServerCidrs: read.list("monitoring.apiServerCidrs", CIDR),
        thresholds: readThresholds(
            read,
            scrapedJobs({ redis: ownRedis, prometheus, existing, grafana }),
        ),
        runbookUrl: read.optional("alerts.runbookUrl", FOLDER_ADDRESS),
    };
}

function readPrometheus(read: ConfigReader): PrometheusSettings {
    const settings = {
        image: readImage(read, "monitoring.prometheusImage", image(["Prometheus", 2, 42])),
        cpuRequest: read.required("monitoring.cpuRequest", CPUS),
        memoryLimit: read.required("monitoring.memoryLimit", MEMORY),
        storage: read.required("monitoring.storage", STORAGE),
        cluster: read.optional("monitoring.cluster", LABEL_VALUE),
        gateway: readGateway(read),
        remoteWrite: readRemoteWrite(read),
    };
    const most = parseCpu(PROMETHEUS_CPU_LIMIT) ?? NaN;
    if ((parseCpu(settings.cpuRequest) ?? NaN) > most) {
        const words = `is "${settings.cpuRequest}"; allowed: no more than ${most}, its limit`;
        read.addError("monitoring.cpuRequest", words);
    }
    for (const key of ["memoryLimit", "storage"] as const) {
        if ((parseBytes(settings[key]) ?? NaN) < (parseBytes(SMALLEST) ?? 0)) {
            read.addError(
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
    const url = read.optional("monitoring.remoteWriteUrl", ENDPOINT);
    const username = read.optional("monitoring.remoteWriteUsername", USER);
    const token =
        username === undefined
            ? read.secret(REMOTE_WRITE_TOKEN, LOGIN)
            : read.requiredSecret(
                  REMOTE_WRITE_TOKEN,
                  LOGIN,
                  ", since monitoring.remoteWriteUsername is set",
              );
    return url === undefined ? undefined : { url, username, token };
}

function readGrafana(read: ConfigReader): GrafanaSettings | undefined {
    const settings = {
        image: readImage(read, "grafana.image", image(["Grafana", 12, 0])),
        // Without Grafana nobody needs them, but Pulumi demands a value of every secret that is declared.
        adminPassword: read.requiredSecret(
            "grafana.adminPassword",
            token(8, "a password"),
            GENERATED,
        ),
        secretKey: read.requiredSecret("grafana.secretKey", token(8), GENERATED),
    };
    return read.boolean("grafana.enabled") ? settings : undefined;
}
