import {
    objectMutation,
    getPodSpec,
    type Draft,
    type RuleMutation,
} from "../../mutations/mutation.ts";

export const mutations: readonly RuleMutation[] = [
    objectMutation(
        "Deployment",
        "an update that stops pods first",
        ({ spec }) =>
            (spec.strategy = {
                type: "RollingUpdate",
                rollingUpdate: { maxUnavailable: 1, maxSurge: 1 },
            }),
        (object) => serves(object),
    ),
    objectMutation(
        "Deployment",
        "an update without a strategy of its own",
        ({ spec }) => delete spec.strategy,
        (object) => serves(object),
    ),
    objectMutation(
        "Deployment",
        "an update that ends all before it starts one",
        ({ spec }) => (spec.strategy = { type: "Recreate" }),
        (object) => serves(object),
    ),
    objectMutation(
        "Deployment",
        "an update that may do nothing",
        ({ spec }) =>
            (spec.strategy = {
                type: "RollingUpdate",
                rollingUpdate: { maxUnavailable: 0, maxSurge: 0 },
            }),
        (object) => serves(object),
    ),
];

/** Has room for a second pod while it is updated: no volume that only one may have. */
function serves(object: Draft): boolean {
    const pod = getPodSpec(object);
    const alone = (pod.volumes ?? []).some((volume: Draft) => volume.persistentVolumeClaim);
    return !alone;
}
