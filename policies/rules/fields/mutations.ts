import {
    containerMutation,
    objectMutation,
    type Draft,
    type RuleMutation,
} from "../../mutations/mutation.ts";

export const mutations: readonly RuleMutation[] = [
    containerMutation("a field that is misspelt", (one) => {
        one.resources.limit = one.resources.limits;
        delete one.resources.limits;
    }),
    containerMutation(
        "a port that is text",
        ({ ports }) => (ports[0].containerPort = `${ports[0].containerPort}`),
        ({ ports }) => ports?.length > 0,
    ),
    containerMutation(
        "variables as a map",
        (one) =>
            (one.env = Object.fromEntries(one.env.map(({ name, value }: Draft) => [name, value]))),
        ({ env }) => env?.length > 0,
    ),
    objectMutation(
        "Service",
        "a selector in the wrong place",
        (one) => (one.selector = one.spec.selector),
    ),
];
