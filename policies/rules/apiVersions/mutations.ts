import { objectMutation, type Mutation } from "../../mutations/mutation.ts";

export const mutations: readonly Mutation[] = [
    objectMutation(
        "api-versions",
        "PodDisruptionBudget",
        "a removed version",
        (one) => (one.apiVersion = "policy/v1beta1"),
    ),
    objectMutation(
        "api-versions",
        "NetworkPolicy",
        "the group of long ago",
        (one) => (one.apiVersion = "extensions/v1beta1"),
    ),
];
