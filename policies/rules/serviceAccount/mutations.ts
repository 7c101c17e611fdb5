import { podMutation, type Mutation } from "../../mutations/mutation.ts";

export const mutations: readonly Mutation[] = [
    podMutation(
        "service-account",
        "an unnecessary token",
        (pod) => (pod.automountServiceAccountToken = true),
        (pod) => pod.automountServiceAccountToken === false,
    ),
    podMutation(
        "service-account",
        "a mounted token",
        (pod) => delete pod.automountServiceAccountToken,
        (pod) => pod.automountServiceAccountToken === false,
    ),
];
