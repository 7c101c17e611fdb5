import type { Allowed } from "@property-search/contract/settings";
import { DNS_PRESETS } from "../components/networkPolicies/dns.ts";
import type { Destination } from "../components/networkPolicies/policies.ts";
import { CIDR, DNS_LABEL, isObject, LABEL_KEY, LABEL_VALUE } from "./allowed.ts";
import { found, type ConfigReader } from "./reader.ts";

const KEY = "network.destinations";

/** Connections that leave a namespace of the stack for something that is not the stack's. */
export const PURPOSES = [
    "dns",
    "upstream",
    "tracing",
    "redis",
    "remoteWrite",
    "webhook",
    "watchdog",
    "acme",
    "prometheus",
    "slack",
    "embeddings",
    "chat",
] as const;
export type Purpose = (typeof PURPOSES)[number];

export interface NetworkConfig {
    /** Where pods resolve names. */
    readonly dns: readonly Destination[];
    /** Destinations that the stack sets for a purpose; undefined: those of its URLs. */
    readonly destinations: Readonly<Partial<Record<Purpose, readonly Destination[]>>>;
}

const DNS_PORT = 53;

const PRESETS: Readonly<Record<string, readonly Destination[]>> = DNS_PRESETS;
const EXAMPLE = '{"namespace":"models","podLabels":{"app":"tei"},"port":8080}';
const EXAMPLES = `${EXAMPLE} or {"cidr":"10.1.0.0/16","port":443}`;
/** DNS has a port of its own, which its destinations may leave out. */
const DNS_EXAMPLES =
    '{"namespace":"kube-system","podLabels":{"k8s-app":"kube-dns"}} or {"cidr":"169.254.20.10/32"}';
const examplesOf = (purpose: Purpose) => (purpose === "dns" ? DNS_EXAMPLES : EXAMPLES);

export function readNetwork(read: ConfigReader): NetworkConfig {
    const presets = read.get("network.dns");
    const destinations = readDestinations(read);
    const dns = [
        ...presets.flatMap((preset) => PRESETS[preset] ?? []),
        ...(destinations.dns ?? []),
    ];
    if (dns.length === 0) {
        const names = Object.keys(PRESETS).join(", ");
        read.addError("network.dns", `is empty; allowed: some of ${names}, or ${KEY}.dns`);
    }
    return { dns, destinations };
}

function readDestinations(read: ConfigReader): NetworkConfig["destinations"] {
    const value = read.get(KEY);
    if (!isObject(value)) {
        const example = `{"upstream":[${EXAMPLE}]}`;
        read.addError(KEY, `${found(value)}; allowed: an object such as ${example}`);
        return {};
    }
    const entries = Object.entries(value).map(([name, listed]) => {
        const purpose = PURPOSES.find((one) => one === name);
        if (purpose !== undefined) return [purpose, readList(read, purpose, listed)];
        read.addError(`${KEY}.${name}`, `is unknown; allowed: ${PURPOSES.join(", ")}`);
        return [];
    });
    return Object.fromEntries(entries.filter(({ length }) => length > 0)) as object;
}

function readList(read: ConfigReader, purpose: Purpose, value: unknown): readonly Destination[] {
    if (Array.isArray(value) && value.length > 0) {
        return value.map((one, index) =>
            readOne(read, purpose, `${KEY}.${purpose}[${index}]`, one),
        );
    }
    read.addError(
        `${KEY}.${purpose}`,
        `${found(value)}; allowed: a list of one or more of ${examplesOf(purpose)}`,
    );
    return [];
}

function readOne(read: ConfigReader, purpose: Purpose, at: string, value: unknown): Destination {
    const fields = isObject(value) ? value : {};
    const {
        namespace,
        podLabels = {},
        cidr,
        port = purpose === "dns" ? DNS_PORT : undefined,
    } = fields;
    const check = (name: string, field: unknown, { fits, words }: Allowed) => {
        if (typeof field === "string" && fits(field)) return field;
        read.addError(`${at}${name}`, `${found(field)}; allowed: ${words}`);
        return "";
    };
    if ((namespace === undefined) === (cidr === undefined)) {
        read.addError(at, `${found(value)}; allowed: either ${examplesOf(purpose)}`);
    }
    const known = cidr === undefined ? ["namespace", "podLabels", "port"] : ["cidr", "port"];
    for (const name of Object.keys(fields)) {
        // Both were reported together.
        if (known.includes(name) || name === "namespace") continue;
        read.addError(`${at}.${name}`, `is unknown; allowed: ${known.join(", ")}`);
    }
    if (!(Number.isInteger(port) && Number(port) >= 1 && Number(port) <= 65_535)) {
        read.addError(`${at}.port`, `${found(port)}; allowed: a whole number from 1 to 65535`);
    }
    if (cidr !== undefined) return { cidr: check(".cidr", cidr, CIDR), port: Number(port) };
    if (!isObject(podLabels)) {
        read.addError(
            `${at}.podLabels`,
            `${found(podLabels)}; allowed: an object such as {"app":"tei"}`,
        );
    }
    const labels = Object.entries(isObject(podLabels) ? podLabels : {}).map(
        ([name, text]): [string, string] => [
            check(".podLabels", name, LABEL_KEY),
            check(`.podLabels["${name}"]`, text, LABEL_VALUE),
        ],
    );
    return {
        namespace: namespace === undefined ? "" : check(".namespace", namespace, DNS_LABEL),
        podLabels: Object.fromEntries(labels),
        port: Number(port),
    };
}
