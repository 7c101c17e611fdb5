import { LABELS } from "@property-search/contract";
import type { Allowed } from "@property-search/contract/settings";
import type { Placement, Toleration } from "../components/placement.ts";
import { LABEL_KEY, LABEL_VALUE, OBJECT_NAME } from "./allowed.ts";
import { found, isObject, type ConfigReader } from "./reader.ts";

/** Key of the registry's credentials, which Pulumi.yaml cannot declare as a secret: it may be left out. */
export const REGISTRY_CREDENTIALS = "images.dockerConfigJson";

/** A Secret holds no more than 1 MiB. */
const MOST_CHARACTERS = 500_000;

/** What the API server takes for a Secret of this type, and the kubelet for logins. */
const DOCKER_CONFIG: Allowed = {
    fits: (value) => value.length <= MOST_CHARACTERS && hasAuths(value),
    words:
        'the JSON of a Docker config, such as {"auths":{"registry.example.com":{"auth":"…"}}}, ' +
        `auth being user:password in base64, at most ${MOST_CHARACTERS} characters`,
};

const OWN_LABELS: readonly string[] = Object.values(LABELS);
/** Labels that Kubernetes sets on pods; the API server rejects a Job whose template has one of a Job. */
const GIVEN_LABELS: readonly string[] = [
    ...["controller-uid", "job-name", "pod-template-hash", "controller-revision-hash"],
    ...["batch.kubernetes.io/controller-uid", "batch.kubernetes.io/job-name"],
    ...["statefulset.kubernetes.io/pod-name", "apps.kubernetes.io/pod-index"],
];
const EFFECTS = ["NoSchedule", "PreferNoSchedule", "NoExecute"];
const OPERATORS = ["Equal", "Exists"];
const FIELDS = ["key", "operator", "value", "effect", "tolerationSeconds"];

/** Where pods may run, by which name they pull images, and labels that an organisation wants everywhere. */
export function readPlacement(read: ConfigReader): Placement {
    const labels = read.labels("workloads.labels");
    for (const taken of [OWN_LABELS, GIVEN_LABELS]) {
        for (const key of Object.keys(labels).filter((one) => taken.includes(one))) {
            read.addError("workloads.labels", `has ${key}; allowed: none of ${taken.join(", ")}`);
        }
    }
    return {
        pullSecrets: read.list("images.pullSecrets", OBJECT_NAME),
        registryCredentials: read.secret(REGISTRY_CREDENTIALS, DOCKER_CONFIG),
        nodeSelector: read.labels("workloads.nodeSelector"),
        tolerations: readTolerations(read),
        priorityClassName: read.optional("workloads.priorityClassName", OBJECT_NAME),
        fixedIds: read.boolean("workloads.fixedIds"),
        labels,
    };
}

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

function readTolerations(read: ConfigReader): Toleration[] {
    const key = "workloads.tolerations";
    const value = read.json(key);
    if (!Array.isArray(value)) {
        read.addError(key, `${found(value)}; allowed: a list of tolerations`);
        return [];
    }
    const tolerations = value as unknown[];
    tolerations.forEach((one, at) => {
        for (const words of tolerationFaults(one)) read.addError(key, `[${at}] ${words}`);
    });
    return tolerations as Toleration[];
}

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
