import { hasLimit } from "../../mutations/predicates.ts";
import { containerMutation, type Mutation } from "../../mutations/mutation.ts";

export const mutations: readonly Mutation[] = [
    containerMutation(
        "memory-limit",
        "no memory limit",
        ({ resources }) => delete resources.limits.memory,
        hasLimit("memory"),
    ),
    containerMutation(
        "memory-limit",
        "a memory limit of eight times the request",
        ({ resources }) =>
            Object.assign(resources, {
                requests: { ...resources.requests, memory: "1Gi" },
                limits: { ...resources.limits, memory: "8Gi" },
            }),
        hasLimit("memory"),
    ),
];
