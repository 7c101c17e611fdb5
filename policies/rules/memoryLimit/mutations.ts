import { hasLimit } from "../../mutations/predicates.ts";
import { containerMutation, type RuleMutation } from "../../mutations/mutation.ts";

export const mutations: readonly RuleMutation[] = [
    containerMutation(
        "no memory limit",
        ({ resources }) => delete resources.limits.memory,
        hasLimit("memory"),
    ),
    containerMutation(
        "a memory limit of eight times the request",
        ({ resources }) =>
            Object.assign(resources, {
                requests: { ...resources.requests, memory: "1Gi" },
                limits: { ...resources.limits, memory: "8Gi" },
            }),
        hasLimit("memory"),
    ),
];
