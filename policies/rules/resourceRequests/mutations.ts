import { hasRequest } from "../../mutations/predicates.ts";
import { containerMutation, type Mutation } from "../../mutations/mutation.ts";

export const mutations: readonly Mutation[] = [
    ...["cpu", "memory"].map((what) =>
        containerMutation(
            "resource-requests",
            `no ${what} request`,
            ({ resources }) => delete resources.requests[what],
            hasRequest(what),
        ),
    ),
    containerMutation(
        "resource-requests",
        "no requests at all",
        ({ resources }) => delete resources.requests,
    ),
];
