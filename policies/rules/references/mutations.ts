import {
    containerMutation,
    objectMutation,
    remove,
    type Draft,
    type RuleMutation,
} from "../../mutations/mutation.ts";

/** Whether another object of its namespace names it. */
const isNamed = (object: Draft, all: readonly Draft[]) => {
    const { name, namespace } = object.metadata;
    const others = all.filter((one) => one !== object && one.metadata.namespace === namespace);
    return others.some(({ spec }) => JSON.stringify(spec ?? {}).includes(`"${name}"`));
};
const secretIn = (container: Draft): Draft =>
    (container.env ?? []).find(({ valueFrom }: Draft) => {
        const { optional, name } = valueFrom?.secretKeyRef ?? {};
        return name !== undefined && optional !== true;
    })?.valueFrom.secretKeyRef;

export const mutations: readonly RuleMutation[] = [
    ...["Secret", "ConfigMap", "ServiceAccount", "Middleware", "Role"].map((kind) =>
        objectMutation(
            kind,
            `no ${kind} of that name`,
            remove,
            (one, all) => kind === "Role" || isNamed(one, all),
        ),
    ),
    containerMutation(
        "a key that the Secret does not have",
        (one) => (secretIn(one).key += "-1"),
        (one) => secretIn(one) !== undefined,
    ),
    containerMutation(
        "a volume that the pod does not have",
        ({ volumeMounts }) => (volumeMounts[0].name += "-1"),
        ({ volumeMounts }) => volumeMounts?.length > 0,
    ),
];
