import { LABELS } from "@property-search/contract";
import { inObjects, offByOne, remove, type Draft, type Fault } from "./fault.ts";

const several = (workload: Draft, all: readonly Draft[]) =>
    workload.spec.replicas > 1 || all.some((one) => scales(one, workload));
const scales = (scaler: Draft, { kind, metadata }: Draft) => {
    const { kind: of = "Deployment", name } = scaler.spec?.scaleTargetRef ?? {};
    return (
        name === metadata.name && of === kind && scaler.metadata.namespace === metadata.namespace
    );
};
const guarded = (budget: Draft, all: readonly Draft[]) =>
    all.some(
        (one) =>
            ["Deployment", "StatefulSet"].includes(one.kind as string) &&
            one.metadata.namespace === budget.metadata.namespace &&
            one.spec.selector.matchLabels[LABELS.name] ===
                budget.spec.selector.matchLabels[LABELS.name] &&
            several(one, all),
    );
const WORKLOADS = ["Deployment", "StatefulSet"];

/** Faults of how many pods there are, where they are, and who may take them away. */
export const availability: readonly Fault[] = [
    inObjects(
        "replicas",
        WORKLOADS,
        "replicas beside an autoscaler",
        ({ spec }) => (spec.replicas = 3),
        (workload, all) => all.some((one) => scales(one, workload)),
    ),
    inObjects(
        "replicas",
        "ScaledObject",
        "an autoscaler that goes down to one",
        ({ spec }) => (spec.minReplicaCount = 1),
    ),
    inObjects("disruption-budget", "PodDisruptionBudget", "no disruption budget", remove, guarded),
    inObjects(
        "disruption-budget",
        "PodDisruptionBudget",
        "a budget that lets no pod go",
        ({ spec }) => {
            delete spec.minAvailable;
            spec.maxUnavailable = 0;
        },
        guarded,
    ),
    inObjects(
        "disruption-budget",
        "PodDisruptionBudget",
        "a budget that wants all pods",
        ({ spec }) => {
            delete spec.maxUnavailable;
            spec.minAvailable = "100%";
        },
        guarded,
    ),
    inObjects(
        "disruption-budget",
        "PodDisruptionBudget",
        "a budget for nobody",
        ({ spec }) => offByOne(spec.selector.matchLabels),
        guarded,
    ),
    inObjects(
        "topology-spread",
        WORKLOADS,
        "pods that may all be on one node",
        ({ spec }) => {
            delete spec.template.spec.topologySpreadConstraints;
            delete spec.template.spec.affinity;
        },
        several,
    ),
    inObjects(
        "topology-spread",
        WORKLOADS,
        "spread by labels that its pods do not have",
        ({ spec }) => {
            for (const one of spec.template.spec.topologySpreadConstraints)
                offByOne(one.labelSelector.matchLabels);
        },
        (workload, all) =>
            several(workload, all) &&
            workload.spec.template.spec.topologySpreadConstraints?.length > 0,
    ),
    inObjects(
        "topology-spread",
        "Deployment",
        "spread with the pods of the last version",
        ({ spec }) => {
            for (const one of spec.template.spec.topologySpreadConstraints)
                delete one.matchLabelKeys;
        },
        (workload, all) =>
            several(workload, all) &&
            workload.spec.template.spec.topologySpreadConstraints?.length > 0,
    ),
    inObjects("autoscaler-metric", "ScaledObject", "a ratio shared out among pods", ({ spec }) => {
        spec.triggers[0].metadata.query =
            'sum(rate(embedding_cache_lookups_total{result="hit"}[5m])) / sum(rate(embedding_cache_lookups_total[5m]))';
    }),
    inObjects("autoscaler-metric", "ScaledObject", "the hit rate as a metric", ({ spec }) => {
        spec.triggers[0].metadata.query = "avg(embedding_cache_hit_rate)";
    }),
    inObjects("autoscaler-metric", "ScaledObject", "a minimum above the maximum", ({ spec }) => {
        spec.maxReplicaCount = spec.minReplicaCount - 1;
    }),
    inObjects("autoscaler-metric", "ScaledObject", "no data taken for no load", ({ spec }) => {
        delete spec.triggers[0].metadata.ignoreNullValues;
    }),
    inObjects(
        "autoscaler-metric",
        "ScaledObject",
        "nothing to do when Prometheus is away",
        ({ spec }) => {
            delete spec.fallback;
        },
    ),
    inObjects("autoscaler-metric", "ScaledObject", "a metric that nobody has", ({ spec }) => {
        spec.triggers[0].metadata.query = "sum(rate(embeding_cache_lookups_total[60s]))";
    }),
    inObjects("autoscaler-metric", "ScaledObject", "an autoscaler of nothing", ({ spec }) => {
        spec.scaleTargetRef.name = `${spec.scaleTargetRef.name}-1`;
    }),
    inObjects(
        "autoscaler-metric",
        "ScaledObject",
        "a second autoscaler of the same",
        ({ metadata, spec }, all) => {
            (all as Draft[]).push({
                apiVersion: "autoscaling/v2",
                kind: "HorizontalPodAutoscaler",
                metadata: { ...metadata, name: `${metadata.name}-cpu` },
                spec: { scaleTargetRef: spec.scaleTargetRef, minReplicas: 2, maxReplicas: 4 },
            });
        },
    ),
];
