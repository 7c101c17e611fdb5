import type { ExistingPrometheusSettings } from "../components/monitoring/existing.ts";
import type { ConfigReader } from "./reader.ts";

/** Settings of our own Prometheus and Alertmanager that have no effect with an existing one. */
const OF_OUR_OWN = [
    "alerts.slackUrl",
    "alerts.webhookUrl",
    "alerts.watchdogUrl",
    "monitoring.remoteWriteUrl",
    "monitoring.gatewayAddress",
];

/** Namespace of OpenShift's Prometheus for workloads of its users. */
const OPENSHIFT = "openshift-user-workload-monitoring";

/** @returns undefined if the stack has its own Prometheus. */
export function readExistingPrometheus(read: ConfigReader): ExistingPrometheusSettings | undefined {
    const { source, url, namespace, labels, ...settings } = read.group("prometheus");
    if (source === "stack") {
        const set = { url, namespace, labels: Object.keys(labels)[0], ...settings };
        for (const [key, value] of Object.entries(set)) {
            if (value !== undefined)
                read.addError(
                    `prometheus.${key}`,
                    "is set; allowed: not set, since prometheus.source is stack",
                );
        }
        return undefined;
    }
    const reason = `prometheus.source is ${source}`;
    for (const key of OF_OUR_OWN) {
        if (read.isSet(key)) read.addError(key, `is set; allowed: not set, since ${reason}`);
    }
    if (source === "operator" && namespace === OPENSHIFT) {
        // It ignores the namespaces of a PodMonitor, and gives all series the namespace of that monitor.
        const words = `is "${OPENSHIFT}", whose Prometheus keeps each monitor to its own namespace; allowed: another`;
        read.addError("prometheus.namespace", `${words}, or prometheus.source: stack`);
    }
    return {
        ...settings,
        source,
        url: url ?? read.required("prometheus.url", reason),
        namespace: namespace ?? read.required("prometheus.namespace", reason),
        labels,
    };
}
