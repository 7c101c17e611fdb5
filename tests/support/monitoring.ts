import { JOBS } from "@property-search/contract";
import { Monitoring, type MonitoringArgs } from "../../components/monitoring.ts";
import { DEFAULT_THRESHOLDS } from "../../components/monitoring/alerts/thresholds.ts";
import { at, declared, type Declared } from "./program.ts";

export const MONITORING: MonitoringArgs = {
    prometheus: {
        image: "prom/prometheus:v3.5.1",
        cpuRequest: "250m",
        memoryLimit: "1Gi",
        storage: "10Gi",
    },
    alertmanager: {
        image: "prom/alertmanager:v0.28.1",
        replicas: 1,
        receivers: {
            slackChannel: undefined,
            slackCriticalChannel: undefined,
            webhookUrl: undefined,
            watchdogUrl: undefined,
        },
    },
    grafana: {
        image: "grafana/grafana:12.4.0",
        adminPassword: "grafana-password",
        secretKey: "grafana-key",
    },
    kubeStateMetricsImage: "registry.k8s.io/kube-state-metrics/kube-state-metrics:v2.18.0",
    redisExporterImage: "oliver006/redis_exporter:v1.77.0",
    thresholds: { ...DEFAULT_THRESHOLDS, jobs: [...DEFAULT_THRESHOLDS.jobs, JOBS.grafana] },
    namespaces: {
        blue: "property-search-blue",
        green: "property-search-green",
        edge: "property-search-edge",
        data: "property-search-data",
        monitoring: "property-search-monitoring",
    },
    redis: { passwords: { exporter: "exporter-secret" } },
};

/** Everything that monitoring declares, with some arguments changed. */
export function monitoring(change: Partial<MonitoringArgs> = {}): Promise<Declared> {
    return declared(() => new Monitoring("m", { ...MONITORING, ...change }));
}

/** Text of a ConfigMap's or Secret's file. */
export function fileOf(all: Declared, resource: string, file: string): string {
    const [found] = all.all.filter(({ name }) => name === resource);
    const text = at(found?.inputs, "data", file) ?? at(found?.inputs, "stringData", file);
    if (typeof text !== "string") throw new Error(`${resource} has no file ${file}`);
    return text;
}

/** The container of a part's pod. */
export function containerOf(all: Declared, resource: string): Record<string, unknown> {
    const [found] = all.all.filter(({ name }) => name === resource);
    return at(found?.inputs, "spec", "template", "spec", "containers", 0) as Record<
        string,
        unknown
    >;
}
