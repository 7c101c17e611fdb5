import { hasRequest } from "../../mutations/predicates.ts";
import { containerMutation, type Mutation } from "../../mutations/mutation.ts";

export const mutations: readonly Mutation[] = [
    ...["cpu", "memory"].map((resource) =>
        containerMutation(
            "resource-requests",
            `no ${resource} request`,
            ({ resources }) => delete resources.requests[resource],
            hasRequest(resource),
        ),
    ),
    containerMutation(
        "resource-requests",
        "no requests at all",
        ({ resources }) => delete resources.requests,
    ),
];
