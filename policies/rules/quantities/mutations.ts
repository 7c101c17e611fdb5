import { hasRequest, hasLimit } from "../../mutations/predicates.ts";
import { containerMutation, type Mutation } from "../../mutations/mutation.ts";

export const mutations: readonly Mutation[] = [
    containerMutation(
        "quantities",
        "thousandths of a byte",
        ({ resources }) => (resources.requests.memory = "512m"),
        hasRequest("memory"),
    ),
    containerMutation(
        "quantities",
        "a quantity that is none",
        ({ resources }) => (resources.limits.memory = "2GB"),
        hasLimit("memory"),
    ),
    containerMutation(
        "quantities",
        "a request above the limit",
        ({ resources }) => (resources.requests.cpu = "64"),
        hasLimit("cpu"),
    ),
];
