import type { NamespaceRole } from "@property-search/contract";
import * as pulumi from "@pulumi/pulumi";
import {
    Alertmanager,
    ALERTMANAGER_STORAGE,
    type AlertmanagerSettings,
} from "./monitoring/alertmanager.ts";
import { ruleFiles, type AlertThresholds } from "./monitoring/alerts/index.ts";
import { ExistingPrometheus, type ExistingPrometheusSettings } from "./monitoring/existing.ts";
import { dashboards } from "./monitoring/dashboards/index.ts";
import { Grafana, GRAFANA_RESOURCES, type GrafanaSettings } from "./monitoring/grafana.ts";
import { KubeStateMetrics } from "./monitoring/kubeStateMetrics.ts";
import { SMALL_RESOURCES } from "./monitoring/workload.ts";
import {
    Prometheus,
    prometheusResources,
    type PrometheusSettings,
} from "./monitoring/prometheus.ts";
import { RedisExporter } from "./monitoring/redisExporter.ts";
import type { WorkloadFootprint } from "./quotas.ts";

/** What a stack decides of its monitoring. */
export interface MonitoringSettings {
    readonly prometheus: PrometheusSettings;
    /** Default: the stack brings Prometheus, Alertmanager and Grafana. */
    readonly existing?: ExistingPrometheusSettings | undefined;
    readonly alertmanager: AlertmanagerSettings;
    /** Undefined: no Grafana. */
    readonly grafana: GrafanaSettings | undefined;
    readonly kubeStateMetricsImage: string;
    readonly redisExporterImage: string;
    /** Of every volume. Default: the cluster's default class. */
    readonly storageClass?: string | undefined;
    readonly thresholds: AlertThresholds;
    /** URL of the folder with the alerts' pages, without a slash at its end. Default: its path here. */
    readonly runbookUrl?: string | undefined;
}

export interface MonitoringArgs extends MonitoringSettings {
    readonly namespaces: Readonly<Record<NamespaceRole, pulumi.Input<string>>>;
    /** Undefined: no Redis of our own. */
    readonly redis: { readonly passwords: { readonly exporter: pulumi.Input<string> } } | undefined;
    /** Undefined: cert-manager makes no certificates. */
    readonly certificates: object | undefined;
    /** Misses a second that the autoscaler aims at for each pod. Default: it does not heed them. */
    readonly missesPerPod?: number | undefined;
}

/** What runs in the namespace of monitoring at most: each part, and its successor where it has one beside it. */
export function monitoringFootprints({
    prometheus,
    existing,
    alertmanager,
    grafana,
}: Pick<
    MonitoringSettings,
    "prometheus" | "existing" | "alertmanager" | "grafana"
>): WorkloadFootprint[] {
    const { replicas } = alertmanager;
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

/** Sees what the platform does, tells somebody when that is not what it should be, and shows it. */
export class Monitoring extends pulumi.ComponentResource {
    constructor(name: string, args: MonitoringArgs, opts?: pulumi.ComponentResourceOptions) {
        super("property-search:index:Monitoring", name, args, opts);
        const child = { parent: this };
        const { namespaces, storageClass, thresholds, redis, missesPerPod } = args;
        const namespace = namespaces.monitoring;
        const { blue, green, data } = namespaces;
        if (redis) {
            new RedisExporter(
                `${name}-redis-exporter`,
                {
                    image: args.redisExporterImage,
                    namespace: data,
                    password: redis.passwords.exporter,
                },
                child,
            );
        }
        new KubeStateMetrics(
            `${name}-kube-state`,
            {
                image: args.kubeStateMetricsImage,
                namespace,
                watched: namespaces,
                certificates: args.certificates !== undefined,
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
            { ...args.alertmanager, namespace, storageClass },
            child,
        );
        new Prometheus(
            `${name}-prometheus`,
            {
                ...args.prometheus,
                namespace,
                storageClass,
                scraped: { blue, green, data, monitoring: namespace },
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
