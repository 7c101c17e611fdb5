import { ADDRESS } from "@property-search/contract/settings";
import type { ExistingPrometheusSettings } from "../components/monitoring/existing.ts";
import { DNS_LABEL, LOGIN } from "./allowed.ts";
import type { ConfigReader } from "./reader.ts";

const SOURCES = ["stack", "operator", "external"] as const;
const CLUSTER_HOST = /\.svc(\.[-a-z0-9.]+)?$/;
const URL_WORDS =
    "a base URL without query, such as http://prometheus-operated.monitoring.svc:9090; " +
    "http inside the cluster (host *.svc), https elsewhere";
const API_URL = { fits: isApiUrl, words: URL_WORDS };
/** Settings of our own Prometheus and Alertmanager that mean nothing beside an existing one. */
const OF_OUR_OWN = [
    "alerts.slackUrl",
    "alerts.webhookUrl",
    "alerts.watchdogUrl",
    "monitoring.remoteWriteUrl",
    "monitoring.gatewayAddress",
];

/** Namespace of OpenShift's Prometheus for workloads of its users. */
const OPENSHIFT = "openshift-user-workload-monitoring";

/** Key of a secret that may be left out. */
export const PROMETHEUS_TOKEN = "prometheus.token";

/** @returns undefined where the stack brings its own Prometheus. */
export function readExistingPrometheus(read: ConfigReader): ExistingPrometheusSettings | undefined {
    const source = read.oneOf("prometheus.source", SOURCES);
    const url = read.optional("prometheus.url", API_URL);
    const namespace = read.optional("prometheus.namespace", DNS_LABEL);
    const labels = read.labels("prometheus.labels");
    const token = read.secret(PROMETHEUS_TOKEN, LOGIN);
    if (source === "stack") {
        const set = { url, namespace, labels: Object.keys(labels)[0], token };
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
        source,
        url: url ?? read.required("prometheus.url", API_URL, reason),
        namespace: namespace ?? read.required("prometheus.namespace", DNS_LABEL, reason),
        labels,
        token,
    };
}

/** Whether a URL's host is a Service of the cluster. */
function isClusterHost(url: string): boolean {
    return CLUSTER_HOST.test(new URL(url).hostname);
}

function isApiUrl(value: string): boolean {
    if (!ADDRESS.fits(value)) return false;
    return new URL(value).protocol === (isClusterHost(value) ? "http:" : "https:");
}
