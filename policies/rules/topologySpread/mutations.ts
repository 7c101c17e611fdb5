import { WORKLOADS, hasSeveralReplicas } from "../../mutations/predicates.ts";
import { objectMutation, breakLabels, type RuleMutation } from "../../mutations/mutation.ts";

export const mutations: readonly RuleMutation[] = [
    objectMutation(
        WORKLOADS,
        "pods that may all be on one node",
        ({ spec }) => {
            delete spec.template.spec.topologySpreadConstraints;
            delete spec.template.spec.affinity;
        },
        hasSeveralReplicas,
    ),
    objectMutation(
        WORKLOADS,
        "spread by labels that its pods do not have",
        ({ spec }) => {
            for (const one of spec.template.spec.topologySpreadConstraints)
                breakLabels(one.labelSelector.matchLabels);
        },
        (workload, all) =>
            hasSeveralReplicas(workload, all) &&
            workload.spec.template.spec.topologySpreadConstraints?.length > 0,
    ),
    objectMutation(
        "Deployment",
        "spread with the pods of the last version",
        ({ spec }) => {
            for (const one of spec.template.spec.topologySpreadConstraints)
                delete one.matchLabelKeys;
        },
        (workload, all) =>
            hasSeveralReplicas(workload, all) &&
            workload.spec.template.spec.topologySpreadConstraints?.length > 0,
    ),
];
