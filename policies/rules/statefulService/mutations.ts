import { objectMutation, type RuleMutation } from "../../mutations/mutation.ts";

export const mutations: readonly RuleMutation[] = [
    objectMutation(
        "StatefulSet",
        "a Service that is not there",
        ({ spec }) => (spec.serviceName += "-1"),
    ),
    objectMutation("StatefulSet", "no Service", ({ spec }) => {
        delete spec.serviceName;
    }),
];
