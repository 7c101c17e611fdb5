import { hasLimit } from "../../mutations/predicates.ts";
import {
    containerMutation,
    podMutation,
    type Draft,
    type RuleMutation,
} from "../../mutations/mutation.ts";

export const mutations: readonly RuleMutation[] = [
    containerMutation(
        "no limit of its disk",
        ({ resources }) => delete resources.limits["ephemeral-storage"],
        hasLimit("ephemeral-storage"),
    ),
    podMutation(
        "a scratch volume without end",
        ({ volumes }) =>
            delete volumes.find((one: Draft) => one.emptyDir?.sizeLimit).emptyDir.sizeLimit,
        (pod) => (pod.volumes ?? []).some((one: Draft) => one.emptyDir?.sizeLimit),
    ),
];
