import { hasRequest } from "../../mutations/predicates.ts";
import { containerMutation, type RuleMutation } from "../../mutations/mutation.ts";

export const mutations: readonly RuleMutation[] = [
    ...["cpu", "memory"].map((resource) =>
        containerMutation(
            `no ${resource} request`,
            ({ resources }) => delete resources.requests[resource],
            hasRequest(resource),
        ),
    ),
    containerMutation("no requests at all", ({ resources }) => delete resources.requests),
];
