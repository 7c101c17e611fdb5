import { LABELS } from "@property-search/contract";
import type { Placement, Toleration } from "../components/placement.ts";
import { OBJECT_NAME, type Allowed } from "./allowed.ts";
import type { ConfigReader } from "./reader.ts";

/** Key of the registry's credentials, which Pulumi.yaml cannot declare as a secret: it may be left out. */
export const REGISTRY_CREDENTIALS = "images.dockerConfigJson";

/** What the API server takes for a Secret of this type. */
const DOCKER_CONFIG: Allowed = {
    fits: hasAuths,
    words: 'the JSON of a Docker config, such as {"auths":{"registry.example.com":{"auth":"…"}}}',
};

const LABEL_KEY =
    /^([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?(\.[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)*\/)?[A-Za-z0-9]([-\w.]{0,61}[A-Za-z0-9])?$/;
const LABEL_VALUE = /^([A-Za-z0-9]([-\w.]{0,61}[A-Za-z0-9])?)?$/;
const LABELS_WORDS =
    "an object of label keys and values, each value text, such as { team: search }";
const OWN_LABELS: readonly string[] = Object.values(LABELS);

const EFFECTS = ["NoSchedule", "PreferNoSchedule", "NoExecute"];
const OPERATORS = ["Equal", "Exists"];
const FIELDS = ["key", "operator", "value", "effect", "tolerationSeconds"];

/** Where pods may run, by which name they pull images, and labels that an organisation wants everywhere. */
export function readPlacement(read: ConfigReader): Placement {
    const labels = readLabels(read, "workloads.labels");
    for (const key of Object.keys(labels).filter((one) => OWN_LABELS.includes(one))) {
        read.finding("workloads.labels", `has ${key}; allowed: none of ${OWN_LABELS.join(", ")}`);
    }
    return {
        pullSecrets: read.list("images.pullSecrets", OBJECT_NAME),
        registryCredentials: read.secret(REGISTRY_CREDENTIALS, DOCKER_CONFIG),
        nodeSelector: readLabels(read, "workloads.nodeSelector"),
        tolerations: readTolerations(read),
        priorityClassName: read.optional("workloads.priorityClassName", OBJECT_NAME),
        labels,
    };
}

function hasAuths(text: string): boolean {
    try {
        const { auths } = JSON.parse(text) as { auths?: unknown };
        return typeof auths === "object" && auths !== null && !Array.isArray(auths);
    } catch {
        return false;
    }
}

function readLabels(read: ConfigReader, key: string): Record<string, string> {
    const value = read.json(key);
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    const entries = isObject ? Object.entries(value) : [];
    const isLabel = ([name, one]: [string, unknown]) =>
        LABEL_KEY.test(name) && typeof one === "string" && LABEL_VALUE.test(one);
    if (!isObject) read.finding(key, `is ${JSON.stringify(value)}; allowed: ${LABELS_WORDS}`);
    for (const [name, one] of entries.filter((entry) => !isLabel(entry))) {
        read.finding(key, `has ${name}: ${JSON.stringify(one)}; allowed: ${LABELS_WORDS}`);
    }
    return Object.fromEntries(entries);
}

function readTolerations(read: ConfigReader): Toleration[] {
    const key = "workloads.tolerations";
    const value = read.json(key);
    if (!Array.isArray(value)) {
        read.finding(key, `is ${JSON.stringify(value)}; allowed: a list of tolerations`);
        return [];
    }
    const tolerations = value as unknown[];
    tolerations.forEach((one, at) => {
        for (const words of tolerationFaults(one)) read.finding(key, `[${at}] ${words}`);
    });
    return tolerations as Toleration[];
}

/** By the rules of the API server (validateTolerations in its core validation). */
function tolerationFaults(toleration: unknown): string[] {
    if (typeof toleration !== "object" || toleration === null || Array.isArray(toleration)) {
        return [`is ${JSON.stringify(toleration)}; allowed: an object of ${FIELDS.join(", ")}`];
    }
    const { key, operator = "Equal", value, effect, tolerationSeconds } = toleration as Toleration;
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
            : !LABEL_KEY.test(key) &&
              `has key ${JSON.stringify(key)}; allowed: a label key such as example.com/dedicated`,
        value !== undefined &&
            !(typeof value === "string" && LABEL_VALUE.test(value)) &&
            `has value ${JSON.stringify(value)}; allowed: a label value as text`,
        operator === "Exists" && !!value && "has a value; allowed: none with the operator Exists",
        tolerationSeconds !== undefined &&
            !(Number.isInteger(tolerationSeconds) && effect === "NoExecute") &&
            "has tolerationSeconds; allowed: whole seconds, with the effect NoExecute",
    ];
    return faults.filter((fault) => fault !== false);
}
