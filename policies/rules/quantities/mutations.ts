import { hasRequest, hasLimit } from "../../mutations/predicates.ts";
import { containerMutation, type RuleMutation } from "../../mutations/mutation.ts";

export const mutations: readonly RuleMutation[] = [
    containerMutation(
        "thousandths of a byte",
        ({ resources }) => (resources.requests.memory = "512m"),
        hasRequest("memory"),
    ),
    containerMutation(
        "a quantity that is none",
        ({ resources }) => (resources.limits.memory = "2GB"),
        hasLimit("memory"),
    ),
    containerMutation(
        "a request above the limit",
        ({ resources }) => (resources.requests.cpu = "64"),
        hasLimit("cpu"),
    ),
];
