import { objectMutation, type Mutation } from "../../mutations/mutation.ts";

export const mutations: readonly Mutation[] = [
    objectMutation(
        "stateful-service",
        "StatefulSet",
        "a Service that is not there",
        ({ spec }) => (spec.serviceName += "-1"),
    ),
    objectMutation("stateful-service", "StatefulSet", "no Service", ({ spec }) => {
        delete spec.serviceName;
    }),
];
