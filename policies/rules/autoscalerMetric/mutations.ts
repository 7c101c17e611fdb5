import { objectMutation, type Draft, type RuleMutation } from "../../mutations/mutation.ts";

export const mutations: readonly RuleMutation[] = [
    objectMutation("ScaledObject", "a ratio shared out among pods", ({ spec }) => {
        spec.triggers[0].metadata.query =
            'sum(rate(embedding_cache_lookups_total{result="hit"}[5m])) / sum(rate(embedding_cache_lookups_total[5m]))';
    }),
    objectMutation("ScaledObject", "the hit rate as a metric", ({ spec }) => {
        spec.triggers[0].metadata.query = "avg(embedding_cache_hit_rate)";
    }),
    objectMutation("ScaledObject", "a minimum above the maximum", ({ spec }) => {
        spec.maxReplicaCount = spec.minReplicaCount - 1;
    }),
    objectMutation("ScaledObject", "no data taken for no load", ({ spec }) => {
        delete spec.triggers[0].metadata.ignoreNullValues;
    }),
    objectMutation("ScaledObject", "no fallback for an outage of Prometheus", ({ spec }) => {
        delete spec.fallback;
    }),
    objectMutation("ScaledObject", "a metric that is not exported", ({ spec }) => {
        spec.triggers[0].metadata.query = "sum(rate(embeding_cache_lookups_total[60s]))";
    }),
    objectMutation("ScaledObject", "an autoscaler of nothing", ({ spec }) => {
        spec.scaleTargetRef.name = `${spec.scaleTargetRef.name}-1`;
    }),
    objectMutation("ScaledObject", "a second autoscaler of the same", ({ metadata, spec }, all) => {
        (all as Draft[]).push({
            apiVersion: "autoscaling/v2",
            kind: "HorizontalPodAutoscaler",
            metadata: { ...metadata, name: `${metadata.name}-cpu` },
            spec: { scaleTargetRef: spec.scaleTargetRef, minReplicas: 2, maxReplicas: 4 },
        });
    }),
];
