import { scrapedJobs, type MonitoringSettings } from "../components/monitoring.ts";
import type { PrometheusSettings } from "../components/monitoring/prometheus.ts";
import { readAlerts } from "./alerts.ts";
import { readControllerNamespace } from "./edge.ts";
import { mirrored } from "./images.ts";
import { readExistingPrometheus } from "./prometheus.ts";
import type { ConfigReader } from "./reader.ts";
import { SETTINGS } from "./settings/index.ts";

export interface MonitoringConfig extends MonitoringSettings {
    /** Whether the stack includes it. */
    readonly enabled: boolean;
    /** Namespaces, in addition to monitoring, whose pods may query Prometheus. */
    readonly readers: readonly string[];
    /** Whence the API server answers; none: anywhere. */
    readonly apiServerCidrs: readonly string[];
}

/** @param own whether the stack runs Redis with its exporter, and the example. */
export function readMonitoring(
    read: ConfigReader,
    own: { readonly redis: boolean; readonly example: boolean },
): MonitoringConfig {
    const { enabled, storageClass, apiServerCidrs, ...images } = read.group("monitoring");
    const { enabled: hasGrafana, ...grafanaSettings } = read.group("grafana");
    const grafana = hasGrafana
        ? { ...grafanaSettings, image: mirrored(read, grafanaSettings.image) }
        : undefined;
    const alertmanager = read.group("alertmanager");
    const prometheus = readPrometheus(read);
    const existing = readExistingPrometheus(read);
    const jobs = scrapedJobs({ ...own, prometheus, existing, grafana });
    const { slackUrl, receivers, runbookUrl, thresholds } = readAlerts(read, jobs);
    return {
        enabled,
        prometheus,
        existing,
        alertmanager: {
            ...alertmanager,
            image: mirrored(read, alertmanager.image),
            receivers,
            slackUrl,
        },
        grafana,
        kubeStateMetricsImage: mirrored(read, images.kubeStateMetricsImage),
        redisExporterImage: mirrored(read, images.redisExporterImage),
        storageClass,
        readers: [read.get("keda.namespace")],
        apiServerCidrs,
        thresholds,
        runbookUrl,
    };
}

function readPrometheus(read: ConfigReader): PrometheusSettings {
    const { prometheusImage, gatewayAddress, ...settings } = read.group("monitoring");
    const [host = "", port] = gatewayAddress?.split(":") ?? [];
    return {
        ...settings,
        image: mirrored(read, prometheusImage),
        gateway:
            gatewayAddress === undefined
                ? undefined
                : { host, port: Number(port), namespace: readControllerNamespace(read) },
        remoteWrite: readRemoteWrite(read),
    };
}

function readRemoteWrite(read: ConfigReader): PrometheusSettings["remoteWrite"] {
    const {
        remoteWriteUrl: url,
        remoteWriteUsername: username,
        remoteWriteToken: token,
    } = read.group("monitoring");
    if (username !== undefined) {
        const row = SETTINGS["monitoring.remoteWriteToken"];
        const reason = ", since monitoring.remoteWriteUsername is set";
        read.requiredSecret("monitoring.remoteWriteToken", row, reason);
    }
    return url === undefined ? undefined : { url, username, token };
}
