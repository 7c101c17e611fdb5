import { WORKLOADS, isScalerOf } from "../../mutations/predicates.ts";
import { objectMutation, type Mutation } from "../../mutations/mutation.ts";

export const mutations: readonly Mutation[] = [
    objectMutation(
        "replicas",
        WORKLOADS,
        "a replica count with an autoscaler",
        ({ spec }) => (spec.replicas = 3),
        (workload, all) => all.some((one) => isScalerOf(one, workload)),
    ),
    objectMutation(
        "replicas",
        "ScaledObject",
        "an autoscaler that goes down to one",
        ({ spec }) => (spec.minReplicaCount = 1),
    ),
];
