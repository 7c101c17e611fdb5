import { JOBS, NAMESPACES, type NamespaceRole } from "@property-search/contract";
import * as pulumi from "@pulumi/pulumi";
import {
    Alertmanager,
    ALERTMANAGER_STORAGE,
    DEFAULT_ALERTMANAGER,
    type AlertmanagerSettings,
} from "./monitoring/alertmanager.ts";
import { DEFAULT_THRESHOLDS, ruleFiles, type AlertThresholds } from "./monitoring/alerts/index.ts";
import { ExistingPrometheus, type ExistingPrometheusSettings } from "./monitoring/existing.ts";
import { dashboards } from "./monitoring/dashboards/index.ts";
import { Grafana, GRAFANA_RESOURCES, type GrafanaSettings } from "./monitoring/grafana.ts";
import { KubeStateMetrics } from "./monitoring/kubeStateMetrics.ts";
import { SMALL_RESOURCES } from "./monitoring/workload.ts";
import {
    DEFAULT_PROMETHEUS,
    Prometheus,
    prometheusResources,
    type PrometheusSettings,
} from "./monitoring/prometheus.ts";
import { RedisExporter } from "./monitoring/redisExporter.ts";
import type { WorkloadFootprint } from "./quotas.ts";

/** Monitoring settings of a stack. */
export interface MonitoringSettings {
    /**
     * Settings of Prometheus that differ from the defaults.
     * @default DEFAULT_PROMETHEUS
     */
    readonly prometheus: PrometheusSettings;
    /**
     * A Prometheus of the cluster that reads the stack's metrics and rules.
     * @default none: Prometheus, Alertmanager and Grafana are part of the stack
     */
    readonly existing?: ExistingPrometheusSettings | undefined;
    /**
     * Settings of Alertmanager that differ from the defaults.
     * @default DEFAULT_ALERTMANAGER, which notifies nobody
     */
    readonly alertmanager: AlertmanagerSettings;
    /**
     * Settings of Grafana.
     * @default none: there is no Grafana
     */
    readonly grafana: GrafanaSettings | undefined;
    /**
     * Image of kube-state-metrics 2.15 or newer.
     * @default "registry.k8s.io/kube-state-metrics/kube-state-metrics:v2.18.0"
     */
    readonly kubeStateMetricsImage: string;
    /**
     * Image of redis_exporter 1.45 or newer.
     * @default "oliver006/redis_exporter:v1.77.0"
     */
    readonly redisExporterImage: string;
    /**
     * StorageClass of the volumes of Prometheus and Alertmanager.
     * @default the default class of the cluster
     */
    readonly storageClass?: string | undefined;
    /**
     * Thresholds of alerts that differ from the defaults.
     * @default DEFAULT_THRESHOLDS, with an alert for each job that the other arguments imply
     */
    readonly thresholds: AlertThresholds;
    /**
     * URL of the directory with the alerts' runbooks, without a trailing slash.
     * @default its path in this repository
     */
    readonly runbookUrl?: string | undefined;
}

/** Arguments of `Monitoring`; none of them is required. */
export interface MonitoringArgs extends Omit<
    Partial<MonitoringSettings>,
    "prometheus" | "alertmanager" | "thresholds"
> {
    /**
     * Settings of Prometheus that differ from the defaults.
     * @default DEFAULT_PROMETHEUS
     */
    readonly prometheus?: Partial<PrometheusSettings>;
    /**
     * Settings of Alertmanager that differ from the defaults.
     * @default DEFAULT_ALERTMANAGER, which notifies nobody
     */
    readonly alertmanager?: Partial<AlertmanagerSettings>;
    /**
     * Thresholds of alerts that differ from the defaults.
     * @default DEFAULT_THRESHOLDS, with an alert for each job that the other arguments imply
     */
    readonly thresholds?: Partial<AlertThresholds>;
    /**
     * Namespace of each role. Rules and scrape targets name the default ones.
     * @default NAMESPACES
     */
    readonly namespaces?: Readonly<Record<NamespaceRole, pulumi.Input<string>>>;
    /**
     * Password of the exporter's ACL user of the `Redis` component.
     * @default none: Redis is not monitored
     */
    readonly redis?:
        { readonly passwords: { readonly exporter: pulumi.Input<string> } } | undefined;
    /**
     * Whether the certificates of cert-manager are monitored.
     * @default false
     */
    readonly certificates?: boolean;
    /**
     * Cache misses per second and pod that the autoscaler aims at, for the dashboards.
     * @default none: the autoscaler does not use misses
     */
    readonly missesPerPod?: number | undefined;
    /**
     * Namespace of the example, which Prometheus scrapes and kube-state-metrics watches.
     * @default none: the stack has no example
     */
    readonly example?: pulumi.Input<string> | undefined;
}

export const DEFAULT_KUBE_STATE_METRICS_IMAGE =
    "registry.k8s.io/kube-state-metrics/kube-state-metrics:v2.18.0";
export const DEFAULT_REDIS_EXPORTER_IMAGE = "oliver006/redis_exporter:v1.77.0";

interface MonitoredWorkloads {
    readonly redis?: unknown;
    readonly prometheus?: Partial<PrometheusSettings> | undefined;
    readonly existing?: unknown;
    readonly grafana?: unknown;
    readonly example?: unknown;
}

/** Jobs that Prometheus scrapes besides the service. */
export function scrapedJobs({
    redis,
    prometheus,
    existing,
    grafana,
    example,
}: MonitoredWorkloads): AlertThresholds["jobs"] {
    return [
        ...(redis ? [JOBS.redis] : []),
        ...(prometheus?.gateway ? [JOBS.gateway] : []),
        JOBS.kubeState,
        ...(existing ? [] : [JOBS.prometheus, JOBS.alertmanager]),
        ...(grafana && !existing ? [JOBS.grafana] : []),
        ...(example && !existing ? [JOBS.example] : []),
    ];
}

/** Most that runs in the monitoring namespace: each workload, with its successor during an update. */
export function monitoringFootprints({
    existing,
    grafana,
    ...args
}: Pick<MonitoringArgs, "prometheus" | "existing" | "alertmanager"> & {
    readonly grafana?: unknown;
}): WorkloadFootprint[] {
    const prometheus = { ...DEFAULT_PROMETHEUS, ...args.prometheus };
    const { replicas } = { ...DEFAULT_ALERTMANAGER, ...args.alertmanager };
    if (existing) return [{ pods: 2, containers: [SMALL_RESOURCES] }];
    return [
        {
            pods: 1,
            containers: [prometheusResources(prometheus)],
            volumes: { count: 1, size: prometheus.storage },
        },
        {
            pods: replicas,
            containers: [SMALL_RESOURCES],
            volumes: { count: replicas, size: ALERTMANAGER_STORAGE },
        },
        { pods: 2, containers: [SMALL_RESOURCES] },
        ...(grafana ? [{ pods: 2, containers: [GRAFANA_RESOURCES] }] : []),
    ];
}

/**
 * The monitoring stack: Prometheus, Alertmanager, kube-state-metrics, the Redis exporter and Grafana.
 *
 * @example
 * ```ts
 * new Monitoring("monitoring", {
 *     redis: { passwords },
 *     grafana: {
 *         adminPassword: config.requireSecret("grafanaPassword"),
 *         secretKey: config.requireSecret("grafanaSecretKey"),
 *     },
 * });
 * ```
 */
export class Monitoring extends pulumi.ComponentResource {
    constructor(name: string, args: MonitoringArgs = {}, opts?: pulumi.ComponentResourceOptions) {
        super("property-search:index:Monitoring", name, args, opts);
        const child = { parent: this };
        const { namespaces = NAMESPACES, storageClass, redis, missesPerPod } = args;
        const thresholds = { ...DEFAULT_THRESHOLDS, jobs: scrapedJobs(args), ...args.thresholds };
        const namespace = namespaces.monitoring;
        const { blue, green, data } = namespaces;
        if (redis) {
            new RedisExporter(
                `${name}-redis-exporter`,
                {
                    image: args.redisExporterImage ?? DEFAULT_REDIS_EXPORTER_IMAGE,
                    namespace: data,
                    password: redis.passwords.exporter,
                },
                child,
            );
        }
        new KubeStateMetrics(
            `${name}-kube-state-metrics`,
            {
                image: args.kubeStateMetricsImage ?? DEFAULT_KUBE_STATE_METRICS_IMAGE,
                namespace,
                watched: namespaces,
                example: args.example,
                certificates: args.certificates ?? false,
            },
            child,
        );
        if (args.existing) {
            new ExistingPrometheus(
                `${name}-existing`,
                {
                    ...args.existing,
                    monitoring: namespace,
                    colours: [blue, green],
                    redis: redis !== undefined,
                    rules: ruleFiles(thresholds, args.runbookUrl),
                },
                child,
            );
            this.registerOutputs({});
            return;
        }
        new Alertmanager(
            `${name}-alertmanager`,
            { ...DEFAULT_ALERTMANAGER, ...args.alertmanager, namespace, storageClass },
            child,
        );
        new Prometheus(
            `${name}-prometheus`,
            {
                ...DEFAULT_PROMETHEUS,
                ...args.prometheus,
                namespace,
                storageClass,
                scraped: {
                    ...{ blue, green, data, monitoring: namespace },
                    ...(args.example !== undefined && { example: args.example }),
                },
                example: args.example !== undefined,
                redis: redis !== undefined,
                grafana: args.grafana !== undefined,
                rules: ruleFiles(thresholds, args.runbookUrl),
            },
            child,
        );
        if (args.grafana) {
            new Grafana(
                `${name}-grafana`,
                {
                    ...args.grafana,
                    namespace,
                    dashboards: dashboards({
                        thresholds,
                        missesPerPod,
                        runbooks: args.runbookUrl,
                    }),
                },
                child,
            );
        }
        this.registerOutputs({});
    }
}
