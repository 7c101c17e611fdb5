import { objectMutation, type RuleMutation } from "../../mutations/mutation.ts";

export const mutations: readonly RuleMutation[] = [
    objectMutation(
        "PodDisruptionBudget",
        "a removed version",
        (one) => (one.apiVersion = "policy/v1beta1"),
    ),
    objectMutation(
        "NetworkPolicy",
        "the group of long ago",
        (one) => (one.apiVersion = "extensions/v1beta1"),
    ),
];
