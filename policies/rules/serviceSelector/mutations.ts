import { objectMutation, breakLabels, type Mutation } from "../../mutations/mutation.ts";

export const mutations: readonly Mutation[] = [
    objectMutation(
        "service-selector",
        "Service",
        "a selector that is off by one",
        ({ spec }) => breakLabels(spec.selector),
        ({ spec }) => spec.selector !== undefined,
    ),
    objectMutation(
        "service-selector",
        "Service",
        "a port that no container has",
        ({ spec }) => (spec.ports[0].targetPort = "htttp"),
        ({ spec }) => spec.selector !== undefined && spec.ports?.length > 0,
    ),
    objectMutation(
        "service-selector",
        ["Deployment", "StatefulSet"],
        "pods that their own selector does not take",
        ({ spec }) => breakLabels(spec.selector.matchLabels),
    ),
];
