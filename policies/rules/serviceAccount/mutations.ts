import { podMutation, type RuleMutation } from "../../mutations/mutation.ts";

export const mutations: readonly RuleMutation[] = [
    podMutation(
        "an unnecessary token",
        (pod) => (pod.automountServiceAccountToken = true),
        (pod) => pod.automountServiceAccountToken === false,
    ),
    podMutation(
        "a mounted token",
        (pod) => delete pod.automountServiceAccountToken,
        (pod) => pod.automountServiceAccountToken === false,
    ),
];
