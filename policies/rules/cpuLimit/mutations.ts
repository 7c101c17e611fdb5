import { hasLimit } from "../../mutations/predicates.ts";
import { containerMutation, type RuleMutation } from "../../mutations/mutation.ts";

export const mutations: readonly RuleMutation[] = [
    containerMutation(
        "no cpu limit",
        ({ resources }) => delete resources.limits.cpu,
        hasLimit("cpu"),
    ),
];
