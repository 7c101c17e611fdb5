import { objectMutation, breakLabels, type RuleMutation } from "../../mutations/mutation.ts";

export const mutations: readonly RuleMutation[] = [
    objectMutation(
        "Service",
        "a selector that is off by one",
        ({ spec }) => breakLabels(spec.selector),
        ({ spec }) => spec.selector !== undefined,
    ),
    objectMutation(
        "Service",
        "a port that no container has",
        ({ spec }) => (spec.ports[0].targetPort = "htttp"),
        ({ spec }) => spec.selector !== undefined && spec.ports?.length > 0,
    ),
    objectMutation(
        ["Deployment", "StatefulSet"],
        "pods that their own selector does not take",
        ({ spec }) => breakLabels(spec.selector.matchLabels),
    ),
];
