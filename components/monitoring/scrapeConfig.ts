import {
    COLOURS,
    EXAMPLE_NAME,
    EXAMPLE_NAMESPACE,
    EVALUATION_INTERVAL_SECONDS,
    JOBS,
    MONITORING_NAMES,
    NAMESPACES,
    PORTS,
    REDIS_NAME,
    RELEASE_INFO,
    SCRAPE_INTERVAL_SECONDS,
    SERVICE_NAMES,
    TRAFFIC_WEIGHT,
} from "@property-search/contract";
import { serviceHost } from "../addresses.ts";

/** Mount paths in Prometheus' pod. */
export const CONFIG_FOLDER = "/run/prometheus-config";
export const RULES_FOLDER = "/run/prometheus-rules";
export const REMOTE_WRITE_FOLDER = "/run/prometheus-remote-write";
export const REMOTE_WRITE_TOKEN_KEY = "token";

/** Label of the backend in the route metrics of kube-state-metrics (kubeStateMetrics.ts). */
export const BACKEND_LABEL = "backend";

const META = "__meta_kubernetes";
const PORT_NAME = `${META}_pod_container_port_name`;

/** Arguments of `prometheusConfig`. */
export interface ScrapeConfigArgs {
    /** Whether Redis and its exporter run in the data namespace. */
    readonly redis: boolean;
    /**
     * Whether Grafana is scraped.
     * @default false
     */
    readonly grafana?: boolean;
    /**
     * Whether the example is scraped.
     * @default false
     */
    readonly example?: boolean;
    /**
     * Whether Prometheus and Alertmanager are not part of the stack, so that only the platform is scraped.
     * @default false
     */
    readonly platformOnly?: boolean;
    /**
     * Metrics endpoint of the gateway.
     * @default none: the gateway is not scraped
     */
    readonly gateway?: GatewayMetrics | undefined;
    /**
     * Value of the label `cluster` of alerts and remote writes.
     * @default none: they have no such label
     */
    readonly cluster?: string | undefined;
    /**
     * Another system that Prometheus writes all samples to.
     * @default none
     */
    readonly remoteWrite?: RemoteWriteTarget | undefined;
}

/** Metrics endpoint of the gateway. */
export interface GatewayMetrics {
    /** DNS name of all gateway pods: that of a headless Service. */
    readonly host: string;
    /** Port of the metrics. */
    readonly port: number;
    /** Namespace of the gateway pods, as a label of the metrics. */
    readonly namespace: string;
}

/** A remote-write endpoint. */
export interface RemoteWriteTarget {
    /** URL of the endpoint. */
    readonly url: string;
    /**
     * User name, whose password is the token.
     * @default none: the token is a bearer token
     */
    readonly username?: string | undefined;
    /** Whether a token is mounted at REMOTE_WRITE_FOLDER. */
    readonly authorized: boolean;
}

interface PodDiscovery {
    readonly role: "pod";
    readonly namespaces: { readonly names: readonly string[] };
}

interface Relabelling {
    readonly action?: "keep" | "drop" | "labeldrop";
    readonly source_labels?: readonly string[];
    readonly regex?: string;
    readonly target_label?: string;
    readonly replacement?: string;
}

export interface ScrapeJob {
    readonly job_name: string;
    /** Container port that `relabel_configs` keep. Undefined: targets come from DNS. */
    readonly port?: string;
    readonly metrics_path?: string;
    readonly honor_labels?: boolean;
    readonly kubernetes_sd_configs?: readonly PodDiscovery[];
    readonly dns_sd_configs?: readonly object[];
    readonly relabel_configs: readonly Relabelling[];
    readonly metric_relabel_configs?: readonly Relabelling[];
}

/** prometheus.yml, for Prometheus 2.42 and newer and 3. */
export function prometheusConfig(args: ScrapeConfigArgs): object {
    const { cluster, remoteWrite } = args;
    return {
        global: {
            scrape_interval: `${SCRAPE_INTERVAL_SECONDS}s`,
            scrape_timeout: "10s",
            evaluation_interval: `${EVALUATION_INTERVAL_SECONDS}s`,
            ...(cluster !== undefined && { external_labels: { cluster } }),
        },
        rule_files: [`${RULES_FOLDER}/*.yml`],
        alerting: { alertmanagers: [alertmanagers()] },
        scrape_configs: scrapeJobs(args).map((job) => ({ ...job, port: undefined })),
        ...(remoteWrite && { remote_write: [remoteWriteConfig(remoteWrite)] }),
    };
}

/** Scrape jobs of the stack. */
export function scrapeJobs({
    redis,
    grafana = false,
    example = false,
    gateway,
    platformOnly = false,
}: ScrapeConfigArgs): readonly ScrapeJob[] {
    const { prometheus, alertmanager } = MONITORING_NAMES;
    return [
        serviceJob(),
        ...(redis ? [redisJob()] : []),
        ...(gateway ? [gatewayJob(gateway)] : []),
        kubeStateJob(),
        ...(platformOnly
            ? []
            : [
                  monitoringJob(JOBS.prometheus, prometheus),
                  monitoringJob(JOBS.alertmanager, alertmanager),
              ]),
        ...(grafana ? [monitoringJob(JOBS.grafana, MONITORING_NAMES.grafana)] : []),
        ...(example ? [exampleJob()] : []),
    ];
}

/** Pods of both colours, ready or not. */
function serviceJob(): ScrapeJob {
    return {
        job_name: JOBS.service,
        port: "http",
        kubernetes_sd_configs: discoverPods(...COLOURS.map((colour) => NAMESPACES[colour])),
        relabel_configs: [
            keep(podLabel("app.kubernetes.io/component"), "embedding-service"),
            keep(PORT_NAME, "http"),
            ...podIdentity(),
            copy(podLabel("property-search.io/colour"), "colour"),
            copy(podLabel("app.kubernetes.io/version"), "version"),
        ],
        // The same values as the pod labels.
        metric_relabel_configs: [{ action: "labeldrop", regex: "exported_(colour|version)" }],
    };
}

/** One exporter for all Redis pods: each target becomes a parameter of the request. */
function redisJob(): ScrapeJob {
    const exporter = serviceHost(MONITORING_NAMES.redisExporter, "data");
    return {
        job_name: JOBS.redis,
        port: "redis",
        metrics_path: "/scrape",
        kubernetes_sd_configs: discoverPods(NAMESPACES.data),
        relabel_configs: [
            keep(podLabel("app.kubernetes.io/name"), REDIS_NAME),
            keep(PORT_NAME, "redis"),
            ...podIdentity(),
            {
                source_labels: ["__address__"],
                regex: "(.+)",
                target_label: "__param_target",
                replacement: "redis://$1",
            },
            copy("__address__", "instance"),
            { target_label: "__address__", replacement: `${exporter}:${PORTS.redisExporter}` },
        ],
    };
}

/** By DNS, since Prometheus may not list pods in the gateway's namespace. */
function gatewayJob({ host, port, namespace }: GatewayMetrics): ScrapeJob {
    return {
        job_name: JOBS.gateway,
        dns_sd_configs: [{ names: [host], type: "A", port }],
        relabel_configs: [{ target_label: "namespace", replacement: namespace }],
    };
}

function kubeStateJob(): ScrapeJob {
    const service = SERVICE_NAMES.blue.replace(/blue$/, `(${COLOURS.join("|")})`);
    return {
        ...monitoringJob(JOBS.kubeState, MONITORING_NAMES.kubeStateMetrics),
        // `namespace` and `pod` are those of the objects, not of the exporter.
        honor_labels: true,
        metric_relabel_configs: [
            {
                source_labels: ["__name__", BACKEND_LABEL],
                regex: `${TRAFFIC_WEIGHT};${service}`,
                target_label: "colour",
                replacement: "$1",
            },
            // A route without backends, such as the redirect to HTTPS.
            {
                action: "drop",
                source_labels: ["__name__", "colour"],
                regex: `${TRAFFIC_WEIGHT};`,
            },
            // A route without annotations of a release.
            { action: "drop", source_labels: ["__name__", "phase"], regex: `${RELEASE_INFO};` },
            { action: "labeldrop", regex: `customresource_.*|${BACKEND_LABEL}` },
        ],
    };
}

function exampleJob(): ScrapeJob {
    return {
        ...monitoringJob(JOBS.example, EXAMPLE_NAME),
        kubernetes_sd_configs: discoverPods(EXAMPLE_NAMESPACE),
    };
}

/** A workload in the monitoring namespace, by its port named `http`. */
function monitoringJob(job: string, objectName: string): ScrapeJob {
    return {
        job_name: job,
        port: "http",
        kubernetes_sd_configs: discoverPods(NAMESPACES.monitoring),
        relabel_configs: [...keepPods(objectName), ...podIdentity()],
    };
}

/** All Alertmanagers: they agree on the one that notifies. */
function alertmanagers(): object {
    return {
        api_version: "v2",
        timeout: "10s",
        kubernetes_sd_configs: discoverPods(NAMESPACES.monitoring),
        relabel_configs: [...keepPods(MONITORING_NAMES.alertmanager), dropTerminated()],
    };
}

function keepPods(objectName: string): Relabelling[] {
    return [keep(podLabel("app.kubernetes.io/name"), objectName), keep(PORT_NAME, "http")];
}

function discoverPods(...names: readonly string[]): readonly PodDiscovery[] {
    return [{ role: "pod", namespaces: { names } }];
}

function podLabel(label: string): string {
    return `${META}_pod_label_${label.replaceAll(/[^A-Za-z0-9]/g, "_")}`;
}

/** Adds the namespace and name of a running pod. */
function podIdentity(): Relabelling[] {
    return [
        dropTerminated(),
        copy(`${META}_namespace`, "namespace"),
        copy(`${META}_pod_name`, "pod"),
    ];
}

/** Drops pods that have terminated, which would count as targets that are down. */
function dropTerminated(): Relabelling {
    return { action: "drop", source_labels: [`${META}_pod_phase`], regex: "Succeeded|Failed" };
}

function keep(label: string, regex: string): Relabelling {
    return { action: "keep", source_labels: [label], regex };
}

function copy(from: string, to: string): Relabelling {
    return { source_labels: [from], target_label: to };
}

function remoteWriteConfig({ url, username, authorized }: RemoteWriteTarget): object {
    const file = `${REMOTE_WRITE_FOLDER}/${REMOTE_WRITE_TOKEN_KEY}`;
    const credentials =
        username === undefined
            ? { authorization: { type: "Bearer", credentials_file: file } }
            : { basic_auth: { username, password_file: file } };
    return {
        url,
        remote_timeout: "30s",
        // Bounds the memory while the receiver is unavailable; the write-ahead log keeps two hours.
        queue_config: {
            capacity: 5000,
            max_shards: 10,
            min_shards: 1,
            max_samples_per_send: 1000,
            batch_send_deadline: "5s",
            min_backoff: "30ms",
            max_backoff: "5s",
            retry_on_http_429: true,
        },
        ...(authorized && credentials),
    };
}
