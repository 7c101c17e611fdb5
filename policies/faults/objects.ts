import { copy, inContainers, inObjects, remove, type Draft, type Fault } from "./fault.ts";

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

/** Faults of objects as such: how they are written, what they name, what they allow. */
export const objects: readonly Fault[] = [
    inContainers("fields", "a field that is misspelt", (one) => {
        one.resources.limit = one.resources.limits;
        delete one.resources.limits;
    }),
    inContainers(
        "fields",
        "a port that is text",
        ({ ports }) => (ports[0].containerPort = `${ports[0].containerPort}`),
        ({ ports }) => ports?.length > 0,
    ),
    inContainers(
        "fields",
        "variables as a map",
        (one) =>
            (one.env = Object.fromEntries(one.env.map(({ name, value }: Draft) => [name, value]))),
        ({ env }) => env?.length > 0,
    ),
    inObjects(
        "fields",
        "Service",
        "a selector in the wrong place",
        (one) => (one.selector = one.spec.selector),
    ),
    inObjects(
        "api-versions",
        "PodDisruptionBudget",
        "a version that is gone",
        (one) => (one.apiVersion = "policy/v1beta1"),
    ),
    inObjects(
        "api-versions",
        "NetworkPolicy",
        "the group of long ago",
        (one) => (one.apiVersion = "extensions/v1beta1"),
    ),
    ...["Service", "ConfigMap", "Deployment", "Secret"].map((kind) =>
        inObjects("duplicates", kind, `a ${kind} twice`, (one, all) => {
            (all as Draft[]).push(copy(one));
        }),
    ),
    ...["Secret", "ConfigMap", "ServiceAccount", "Middleware", "Role"].map((kind) =>
        inObjects(
            "references",
            kind,
            `no ${kind} of that name`,
            remove,
            (one, all) => kind === "Role" || isNamed(one, all),
        ),
    ),
    inContainers(
        "references",
        "a key that the Secret does not have",
        (one) => (secretIn(one).key += "-1"),
        (one) => secretIn(one) !== undefined,
    ),
    inContainers(
        "references",
        "a volume that the pod does not have",
        ({ volumeMounts }) => (volumeMounts[0].name += "-1"),
        ({ volumeMounts }) => volumeMounts?.length > 0,
    ),
    inObjects(
        "stateful-service",
        "StatefulSet",
        "a Service that is not there",
        ({ spec }) => (spec.serviceName += "-1"),
    ),
    inObjects("stateful-service", "StatefulSet", "no Service", ({ spec }) => {
        delete spec.serviceName;
    }),
    inObjects(
        "permissions",
        ["Role", "ClusterRole"],
        "every verb",
        ({ rules }) => (rules[0].verbs = ["*"]),
    ),
    inObjects(
        "permissions",
        ["Role", "ClusterRole"],
        "every resource",
        ({ rules }) => (rules[0].resources = ["*"]),
    ),
    inObjects(
        "permissions",
        ["RoleBinding", "ClusterRoleBinding"],
        "all of the cluster",
        (one) => (one.roleRef = { ...one.roleRef, kind: "ClusterRole", name: "cluster-admin" }),
    ),
    inObjects("secret-values", "Secret", "a password in the manifest", (one) => {
        one.stringData = { ...one.stringData, password: "hunter2-hunter2" };
    }),
];
