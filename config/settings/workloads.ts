import { LABELS as OWN } from "@property-search/contract";
import { BOOLEAN, quote, setting, text } from "@property-search/contract/settings";
import { isRegistry } from "../../components/images.ts";
import type { Toleration } from "../../components/placement.ts";
import { isObject, json, LABEL_KEY, LABEL_VALUE, LABELS, listOf, OBJECT_NAME } from "../allowed.ts";
import { SECRET } from "./row.ts";

const REGISTRY = text(
    isRegistry,
    "a registry with a path where wanted, such as registry.example.com/mirror",
);

/** A Secret holds no more than 1 MiB. */
const MOST_CHARACTERS = 500_000;

/** What the API server takes for a Secret of this type, and the kubelet for logins. */
const DOCKER_CONFIG = text(
    (value) => value.length <= MOST_CHARACTERS && hasAuths(value),
    'the JSON of a Docker config, such as {"auths":{"registry.example.com":{"auth":"…"}}}, ' +
        `auth being user:password in base64, at most ${MOST_CHARACTERS} characters`,
);

/** Labels that Kubernetes sets on pods; the API server rejects a Job whose template has one of a Job. */
const GIVEN_LABELS: readonly string[] = [
    ...["controller-uid", "job-name", "pod-template-hash", "controller-revision-hash"],
    ...["batch.kubernetes.io/controller-uid", "batch.kubernetes.io/job-name"],
    ...["statefulset.kubernetes.io/pod-name", "apps.kubernetes.io/pod-index"],
];
const WORKLOAD_LABELS = json<Readonly<Record<string, string>>>("object", LABELS.words, (value) => [
    ...(LABELS.errors?.(JSON.stringify(value)) ?? []),
    ...[Object.values<string>(OWN), GIVEN_LABELS].flatMap((taken) =>
        Object.keys(isObject(value) ? value : {})
            .filter((key) => taken.includes(key))
            .map((key) => `has ${key}; allowed: none of ${taken.join(", ")}`),
    ),
]);

const TOLERATIONS = {
    ...json<readonly Toleration[]>("array", "a list of tolerations", (value) =>
        Array.isArray(value)
            ? value.flatMap((one, at) => tolerationFaults(one).map((words) => `[${at}] ${words}`))
            : [`is ${quote(value)}; allowed: a list of tolerations`],
    ),
    items: "object",
} as const;

export const WORKLOADS = {
    "images.registry": setting(REGISTRY, "")`
        Registry, with an optional path, that mirrors the public registries. All images that the stack adds from Docker
        Hub, registry.k8s.io, quay.io and ghcr.io are pulled from it under their own paths, such as
        registry.example.com/mirror/library/redis, and the policies then reject the public registries. The images of the
        colours are not changed. Not set: the public registries.`,
    "images.pullSecrets": setting(listOf(OBJECT_NAME), [])`
        Existing image pull Secrets, in each of the platform's namespaces, for all pods.`,
    "images.dockerConfigJson": setting(DOCKER_CONFIG, "", SECRET)`
        Content of a Docker config file with registry credentials, set with --secret. The stack creates an image pull
        Secret from it in each of its namespaces. Not set: none.`,
    "workloads.nodeSelector": setting(LABELS, {})`
        Node labels that the stack's pods require, such as { pool: search }. Empty: any node.`,
    "workloads.tolerations": setting(TOLERATIONS, [])`
        Tolerations of the stack's pods, in the format of Kubernetes.`,
    "workloads.priorityClassName": setting(OBJECT_NAME, "")`
        Existing PriorityClass of the stack's pods. Not set: the cluster's default.`,
    "workloads.fixedIds": setting(BOOLEAN, true)`
        Whether pods run as user and group 10001. false on OpenShift, which assigns IDs to each namespace and rejects
        others.`,
    "workloads.labels": setting(WORKLOAD_LABELS, {})`
        Labels added to all workloads and their pods, such as { team: search, cost-center: "4711" }.`,
};

function hasAuths(text: string): boolean {
    try {
        const { auths } = JSON.parse(text) as { auths?: unknown };
        return isObject(auths) && Object.values(auths).every(isLogin);
    } catch {
        return false;
    }
}

/** One login that is none makes the kubelet leave out all of a Secret. */
function isLogin(value: unknown): boolean {
    if (!isObject(value)) return false;
    const { auth = "", username = "", password = "" } = value;
    if ([auth, username, password].some((one) => typeof one !== "string")) return false;
    const text = Buffer.from(auth as string, "base64").toString();
    return auth === "" || (text.includes(":") && /^[\w+/-]+={0,2}$/.test(auth as string));
}

const EFFECTS = ["NoSchedule", "PreferNoSchedule", "NoExecute"];
const OPERATORS = ["Equal", "Exists"];
const FIELDS = ["key", "operator", "value", "effect", "tolerationSeconds"];

/** By the rules of the API server (validateTolerations in its core validation). */
function tolerationFaults(toleration: unknown): string[] {
    if (!isObject(toleration)) {
        return [`is ${JSON.stringify(toleration)}; allowed: an object of ${FIELDS.join(", ")}`];
    }
    const { key, operator = "Equal", value, effect, tolerationSeconds } = toleration;
    const isOneOf = (one: unknown, allowed: readonly string[]) => allowed.includes(one as string);
    const faults: (string | false)[] = [
        ...Object.keys(toleration)
            .filter((field) => !FIELDS.includes(field))
            .map((field) => `has ${field}; allowed: ${FIELDS.join(", ")}`),
        !isOneOf(operator, OPERATORS) &&
            `has operator ${JSON.stringify(operator)}; allowed: ${OPERATORS.join(", ")}`,
        effect !== undefined &&
            !isOneOf(effect, EFFECTS) &&
            `has effect ${JSON.stringify(effect)}; allowed: ${EFFECTS.join(", ")}, or none for all`,
        key === undefined
            ? operator !== "Exists" && "has no key; allowed: with the operator Exists only"
            : !(typeof key === "string" && LABEL_KEY.fits(key)) &&
              `has key ${JSON.stringify(key)}; allowed: ${LABEL_KEY.words}`,
        value !== undefined &&
            !(typeof value === "string" && LABEL_VALUE.fits(value)) &&
            `has value ${JSON.stringify(value)}; allowed: a label value as text`,
        operator === "Exists" && !!value && "has a value; allowed: none with the operator Exists",
        tolerationSeconds !== undefined &&
            !(Number.isInteger(tolerationSeconds) && effect === "NoExecute") &&
            "has tolerationSeconds; allowed: whole seconds, with the effect NoExecute",
    ];
    return faults.filter((fault) => fault !== false);
}
