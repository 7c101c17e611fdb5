import { objectMutation, type Draft, type Mutation } from "../../mutations/mutation.ts";

export const mutations: readonly Mutation[] = [
    objectMutation(
        "autoscaler-metric",
        "ScaledObject",
        "a ratio shared out among pods",
        ({ spec }) => {
            spec.triggers[0].metadata.query =
                'sum(rate(embedding_cache_lookups_total{result="hit"}[5m])) / sum(rate(embedding_cache_lookups_total[5m]))';
        },
    ),
    objectMutation("autoscaler-metric", "ScaledObject", "the hit rate as a metric", ({ spec }) => {
        spec.triggers[0].metadata.query = "avg(embedding_cache_hit_rate)";
    }),
    objectMutation(
        "autoscaler-metric",
        "ScaledObject",
        "a minimum above the maximum",
        ({ spec }) => {
            spec.maxReplicaCount = spec.minReplicaCount - 1;
        },
    ),
    objectMutation("autoscaler-metric", "ScaledObject", "no data taken for no load", ({ spec }) => {
        delete spec.triggers[0].metadata.ignoreNullValues;
    }),
    objectMutation(
        "autoscaler-metric",
        "ScaledObject",
        "no fallback for an outage of Prometheus",
        ({ spec }) => {
            delete spec.fallback;
        },
    ),
    objectMutation(
        "autoscaler-metric",
        "ScaledObject",
        "a metric that is not exported",
        ({ spec }) => {
            spec.triggers[0].metadata.query = "sum(rate(embeding_cache_lookups_total[60s]))";
        },
    ),
    objectMutation("autoscaler-metric", "ScaledObject", "an autoscaler of nothing", ({ spec }) => {
        spec.scaleTargetRef.name = `${spec.scaleTargetRef.name}-1`;
    }),
    objectMutation(
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
