import { hasLimit } from "../../mutations/predicates.ts";
import { containerMutation, type Mutation } from "../../mutations/mutation.ts";

export const mutations: readonly Mutation[] = [
    containerMutation(
        "cpu-limit",
        "no cpu limit",
        ({ resources }) => delete resources.limits.cpu,
        hasLimit("cpu"),
    ),
];
