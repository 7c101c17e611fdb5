import { WORKLOADS, isScalerOf } from "../../mutations/predicates.ts";
import { objectMutation, type RuleMutation } from "../../mutations/mutation.ts";

export const mutations: readonly RuleMutation[] = [
    objectMutation(
        WORKLOADS,
        "a replica count with an autoscaler",
        ({ spec }) => (spec.replicas = 3),
        (workload, all) => all.some((one) => isScalerOf(one, workload)),
    ),
    objectMutation(
        "ScaledObject",
        "an autoscaler that goes down to one",
        ({ spec }) => (spec.minReplicaCount = 1),
    ),
];
