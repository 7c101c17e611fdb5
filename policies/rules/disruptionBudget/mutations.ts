import { LABELS } from "@property-search/contract";
import { hasSeveralReplicas } from "../../mutations/predicates.ts";
import {
    objectMutation,
    breakLabels,
    remove,
    type Draft,
    type RuleMutation,
} from "../../mutations/mutation.ts";

const guarded = (budget: Draft, all: readonly Draft[]) =>
    all.some(
        (one) =>
            ["Deployment", "StatefulSet"].includes(one.kind as string) &&
            one.metadata.namespace === budget.metadata.namespace &&
            one.spec.selector.matchLabels[LABELS.name] ===
                budget.spec.selector.matchLabels[LABELS.name] &&
            hasSeveralReplicas(one, all),
    );

export const mutations: readonly RuleMutation[] = [
    objectMutation("PodDisruptionBudget", "no disruption budget", remove, guarded),
    objectMutation(
        "PodDisruptionBudget",
        "a budget that lets no pod go",
        ({ spec }) => {
            delete spec.minAvailable;
            spec.maxUnavailable = 0;
        },
        guarded,
    ),
    objectMutation(
        "PodDisruptionBudget",
        "a budget that wants all pods",
        ({ spec }) => {
            delete spec.maxUnavailable;
            spec.minAvailable = "100%";
        },
        guarded,
    ),
    objectMutation(
        "PodDisruptionBudget",
        "a budget that selects no pod",
        ({ spec }) => breakLabels(spec.selector.matchLabels),
        guarded,
    ),
];
