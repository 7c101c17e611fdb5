import {
    COLOURS,
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

/** Where Prometheus' pod finds what it reads. */
export const CONFIG_FOLDER = "/run/prometheus-config";
export const RULES_FOLDER = "/run/prometheus-rules";
export const REMOTE_WRITE_FOLDER = "/run/prometheus-remote-write";
export const REMOTE_WRITE_TOKEN_KEY = "token";

/** Label of the backend in what kube-state-metrics tells of the route (kubeStateMetrics.ts). */
export const BACKEND_LABEL = "backend";

const META = "__meta_kubernetes";
const PORT_NAME = `${META}_pod_container_port_name`;

export interface ScrapeConfigArgs {
    /** Whether Redis runs in the data namespace, and an exporter beside it. */
    readonly redis: boolean;
    /** Default: false. */
    readonly grafana?: boolean;
    /** Whether Prometheus and its companions are somebody else's, and watched there. Default: false. */
    readonly ofPlatformOnly?: boolean;
    /** Undefined: the gateway is not scraped. */
    readonly gateway?: GatewayMetrics | undefined;
    /** Label `cluster` of whatever leaves Prometheus: alerts and remote writes. Default: none. */
    readonly cluster?: string | undefined;
    /** Undefined: nothing is written elsewhere. */
    readonly remoteWrite?: RemoteWriteTarget | undefined;
}

export interface GatewayMetrics {
    /** Name whose addresses are the gateway's pods: that of a Service without an address of its own. */
    readonly host: string;
    readonly port: number;
    readonly namespace: string;
}

export interface RemoteWriteTarget {
    readonly url: string;
    /** With a user the token is a password, without one it is a bearer token. */
    readonly username?: string | undefined;
    /** Whether there is a token, in REMOTE_WRITE_FOLDER. */
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
    /** Name of the container's port that `relabel_configs` keep; undefined: found by name. */
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

export function scrapeJobs({
    redis,
    grafana = false,
    gateway,
    ofPlatformOnly = false,
}: ScrapeConfigArgs): readonly ScrapeJob[] {
    const { prometheus, alertmanager } = MONITORING_NAMES;
    return [
        serviceJob(),
        ...(redis ? [redisJob()] : []),
        ...(gateway ? [gatewayJob(gateway)] : []),
        kubeStateJob(),
        ...(ofPlatformOnly
            ? []
            : [ownJob(JOBS.prometheus, prometheus), ownJob(JOBS.alertmanager, alertmanager)]),
        ...(grafana ? [ownJob(JOBS.grafana, MONITORING_NAMES.grafana)] : []),
    ];
}

/** Pods of both colours whether ready or not: a pod that serves nobody is to be seen too. */
function serviceJob(): ScrapeJob {
    return {
        job_name: JOBS.service,
        port: "http",
        kubernetes_sd_configs: podsIn(...COLOURS.map((colour) => NAMESPACES[colour])),
        relabel_configs: [
            keep(podLabel("app.kubernetes.io/component"), "embedding-service"),
            keep(PORT_NAME, "http"),
            ...place(),
            copy(podLabel("property-search.io/colour"), "colour"),
            copy(podLabel("app.kubernetes.io/version"), "version"),
        ],
        // What a pod says of itself is the same as what its labels say.
        metric_relabel_configs: [{ action: "labeldrop", regex: "exported_(colour|version)" }],
    };
}

/** One exporter asks each Redis pod that Prometheus names. */
function redisJob(): ScrapeJob {
    const exporter = serviceHost(MONITORING_NAMES.redisExporter, "data");
    return {
        job_name: JOBS.redis,
        port: "redis",
        metrics_path: "/scrape",
        kubernetes_sd_configs: podsIn(NAMESPACES.data),
        relabel_configs: [
            keep(podLabel("app.kubernetes.io/name"), REDIS_NAME),
            keep(PORT_NAME, "redis"),
            ...place(),
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

/** Found by name: another's namespace is not ours to list pods in. */
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
        ...ownJob(JOBS.kubeState, MONITORING_NAMES.kubeStateMetrics),
        // `namespace` and `pod` are those of the objects that it tells of.
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
            // A route that no release has marked.
            { action: "drop", source_labels: ["__name__", "phase"], regex: `${RELEASE_INFO};` },
            { action: "labeldrop", regex: `customresource_.*|${BACKEND_LABEL}` },
        ],
    };
}

/** A part of monitoring itself, by the port named `http`. */
function ownJob(job: string, called: string): ScrapeJob {
    return {
        job_name: job,
        port: "http",
        kubernetes_sd_configs: podsIn(NAMESPACES.monitoring),
        relabel_configs: [...ownPods(called), ...place()],
    };
}

/** Every one of them: between themselves they see to it that only one notifies. */
function alertmanagers(): object {
    return {
        api_version: "v2",
        timeout: "10s",
        kubernetes_sd_configs: podsIn(NAMESPACES.monitoring),
        relabel_configs: [...ownPods(MONITORING_NAMES.alertmanager), running()],
    };
}

function ownPods(called: string): Relabelling[] {
    return [keep(podLabel("app.kubernetes.io/name"), called), keep(PORT_NAME, "http")];
}

function podsIn(...names: readonly string[]): readonly PodDiscovery[] {
    return [{ role: "pod", namespaces: { names } }];
}

function podLabel(label: string): string {
    return `${META}_pod_label_${label.replaceAll(/[^A-Za-z0-9]/g, "_")}`;
}

/** Namespace and pod of a target that runs. */
function place(): Relabelling[] {
    return [running(), copy(`${META}_namespace`, "namespace"), copy(`${META}_pod_name`, "pod")];
}

/** What has ended stays listed, and would look like a failure. */
function running(): Relabelling {
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
        // Bounded, so that a receiver that is away costs no more memory than this; the WAL keeps two hours.
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
