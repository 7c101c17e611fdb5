import { suggestNearest } from "@property-search/contract";
import { OBJECT_NAME } from "./allowed.ts";

/**
 * Providers of cert-manager's DNS-01 solver (https://cert-manager.io/docs/configuration/acme/dns01/), each with the fields
 * that its webhook demands.
 */
const REQUIRED = {
    acmeDNS: ["accountSecretRef", "host"],
    akamai: [
        "serviceConsumerDomain",
        "clientTokenSecretRef",
        "clientSecretSecretRef",
        "accessTokenSecretRef",
    ],
    azureDNS: ["subscriptionID", "resourceGroupName"],
    cloudDNS: ["project"],
    cloudflare: [],
    digitalocean: ["tokenSecretRef"],
    rfc2136: ["nameserver"],
    route53: [],
    webhook: ["groupName", "solverName"],
} as const;
type Provider = keyof typeof REQUIRED;
const PROVIDERS = Object.keys(REQUIRED) as readonly Provider[];

/** What a field may hold; a list has its values, and Secrets are checked wherever one is named. */
export type Field = "text" | "texts" | "secret" | "any" | readonly string[] | Fields;
export interface Fields {
    readonly [name: string]: Field;
}

/** Fields of each provider, as cert-manager 1.19 has them: the API server drops any other without a word. */
export const FIELDS: Readonly<Record<Provider, Fields>> = {
    acmeDNS: { host: "text", accountSecretRef: "secret" },
    akamai: {
        serviceConsumerDomain: "text",
        clientTokenSecretRef: "secret",
        clientSecretSecretRef: "secret",
        accessTokenSecretRef: "secret",
    },
    azureDNS: {
        ...texts("subscriptionID", "resourceGroupName", "hostedZoneName", "clientID", "tenantID"),
        clientSecretSecretRef: "secret",
        environment: [
            "AzurePublicCloud",
            "AzureChinaCloud",
            "AzureGermanCloud",
            "AzureUSGovernmentCloud",
        ],
        managedIdentity: texts("clientID", "resourceID", "tenantID"),
    },
    cloudDNS: { ...texts("project", "hostedZoneName"), serviceAccountSecretRef: "secret" },
    cloudflare: { email: "text", apiTokenSecretRef: "secret", apiKeySecretRef: "secret" },
    digitalocean: { tokenSecretRef: "secret" },
    rfc2136: {
        ...texts("nameserver", "tsigKeyName", "tsigAlgorithm"),
        tsigSecretSecretRef: "secret",
        protocol: ["TCP", "UDP"],
    },
    route53: {
        ...texts("region", "hostedZoneID", "role", "accessKeyID"),
        accessKeyIDSecretRef: "secret",
        secretAccessKeySecretRef: "secret",
        auth: { kubernetes: { serviceAccountRef: { name: "text", audiences: "texts" } } },
    },
    webhook: { ...texts("groupName", "solverName"), config: "any" },
};

function texts(...names: readonly string[]): Fields {
    return Object.fromEntries(names.map((name) => [name, "text"]));
}

const NOT_PROVIDERS = ["cnameStrategy"];
const STRATEGIES = ["None", "Follow"];

/** Keys of Secrets (IsConfigMapKey of k8s.io/apimachinery). */
const SECRET_KEY = /^[-._a-zA-Z0-9]{1,253}$/;

const EXAMPLE =
    'an object such as {"cloudflare":{"apiTokenSecretRef":{"name":"embedding-gateway-dns01","key":"secret"}}}';

interface Checked {
    /** In words that follow the key's name. */
    readonly errors: readonly string[];
    /** Secrets that the solver names. */
    readonly names: readonly string[];
}

/** Checks a DNS-01 solver as far as it is the same for all providers: cert-manager's webhook checks the rest. */
export function checkSolver(solver: unknown): Checked {
    if (!isObject(solver)) {
        const found = solver === undefined ? "is not set" : `is ${JSON.stringify(solver)}`;
        const reason = "since certificates.challenge is dns01";
        return { errors: [`${found}; allowed: ${EXAMPLE}, ${reason}`], names: [] };
    }
    const providers = Object.keys(solver).filter((key) => !NOT_PROVIDERS.includes(key));
    const unknown = providers.filter((key) => !PROVIDERS.some((one) => one === key));
    const references = referencesIn(solver);
    const broken = references.filter(({ value }) => !isReference(value));
    return {
        errors: [
            ...unknown.map((key) => `has "${key}"; allowed: ${PROVIDERS.join(", ")}`),
            ...(providers.length === 1
                ? []
                : [`has ${providers.length} providers; allowed: exactly one`]),
            ...faultsOf(solver),
            ...broken.map(
                ({ path, value }) =>
                    `has ${path} ${JSON.stringify(value)}; allowed: {"name": a Secret, "key": one of its keys}`,
            ),
        ],
        names: references.flatMap(({ value }) => (isReference(value) ? [value.name] : [])),
    };
}

/** Values that cert-manager's definition or its webhook rejects, whatever the rest is. */
function faultsOf(solver: Readonly<Record<string, unknown>>): string[] {
    const { cnameStrategy, cloudflare } = solver;
    const isStrategy = STRATEGIES.includes(cnameStrategy as string);
    const tokens = isObject(cloudflare)
        ? ["apiTokenSecretRef", "apiKeySecretRef"].filter((field) => field in cloudflare)
        : [];
    return [
        ...(cnameStrategy === undefined || isStrategy
            ? []
            : [
                  `has cnameStrategy ${JSON.stringify(cnameStrategy)}; allowed: ${STRATEGIES.join(", ")}`,
              ]),
        ...PROVIDERS.filter((provider) => provider in solver).flatMap((provider) => {
            const value = solver[provider];
            if (!isObject(value)) {
                return [`has ${provider} ${JSON.stringify(value)}; allowed: an object`];
            }
            const missing = REQUIRED[provider]
                .filter((field) => value[field] === undefined || value[field] === "")
                .map((field) => `has no ${provider}.${field}; allowed: a value`);
            return [...missing, ...faultsIn(provider, value, FIELDS[provider])];
        }),
        ...(isObject(cloudflare) && tokens.length !== 1
            ? [
                  "has cloudflare with " +
                      `${tokens.length === 0 ? "neither apiTokenSecretRef nor" : "both apiTokenSecretRef and"} apiKeySecretRef; allowed: one of them`,
              ]
            : []),
    ];
}

/** Fields of an object that cert-manager does not know, and values that none of its fields may have. */
function faultsIn(
    path: string,
    object: Readonly<Record<string, unknown>>,
    fields: Fields,
): readonly string[] {
    return Object.entries(object).flatMap(([key, value]) => {
        const at = `${path}.${key}`;
        const names = Object.keys(fields);
        const field = fields[key];
        if (field === undefined) {
            return [
                `has ${at}; allowed in ${path}: ${names.join(", ")}${suggestNearest(key, names)}`,
            ];
        }
        if (typeof field === "object" && !isList(field) && isObject(value)) {
            return faultsIn(at, value, field);
        }
        const words = wordsUnlessFits(field, value);
        return words === undefined ? [] : [`has ${at} ${JSON.stringify(value)}; allowed: ${words}`];
    });
}

/** What is allowed of a field, for a value that is not. */
function wordsUnlessFits(field: Field, value: unknown): string | undefined {
    if (isList(field)) return field.some((one) => one === value) ? undefined : field.join(", ");
    if (typeof field === "object") return "an object";
    const isText = (one: unknown) => typeof one === "string";
    if (field === "text") return isText(value) ? undefined : "a text";
    if (field !== "texts" || (Array.isArray(value) && value.every(isText))) return undefined;
    return "a list of texts";
}

function isList(field: Field): field is readonly string[] {
    return Array.isArray(field);
}

interface Found {
    readonly path: string;
    readonly value: unknown;
}

/** Fields that name a Secret: all providers call them …SecretRef. */
function referencesIn(value: unknown, path = ""): Found[] {
    if (Array.isArray(value)) {
        return value.flatMap((item, index) => referencesIn(item, `${path}[${index}]`));
    }
    if (!isObject(value)) return [];
    return Object.entries(value).flatMap(([key, field]) => {
        const at = path === "" ? key : `${path}.${key}`;
        return key.endsWith("SecretRef") ? [{ path: at, value: field }] : referencesIn(field, at);
    });
}

function isReference(value: unknown): value is { readonly name: string } {
    if (!isObject(value)) return false;
    const { name, key, ...others } = value;
    const isName = typeof name === "string" && OBJECT_NAME.fits(name);
    const isAll = Object.keys(others).length === 0;
    return isAll && isName && typeof key === "string" && SECRET_KEY.test(key);
}

/** Fields of providers that log in as cert-manager's own pod where none of these is set. */
const LOGINS: Readonly<Partial<Record<Provider, readonly string[]>>> = {
    azureDNS: ["clientID"],
    cloudDNS: ["serviceAccountSecretRef"],
    route53: ["accessKeyID", "accessKeyIDSecretRef", "auth"],
};

/**
 * The credentials that a solver lacks. An Issuer, which belongs to a namespace, gets no credentials of
 * cert-manager's own pod unless cert-manager has the flag --issuer-ambient-credentials.
 *
 * @see https://cert-manager.io/docs/configuration/acme/dns01/#ambient-credentials
 */
export function missingLogin(solver: unknown): string | undefined {
    if (!isObject(solver)) return undefined;
    const [provider, logins = []] = Object.entries(LOGINS).find(([name]) => name in solver) ?? [];
    if (provider === undefined) return undefined;
    const value = solver[provider];
    if (!isObject(value) || logins.some((field) => value[field] !== undefined)) return undefined;
    return `has ${provider} without credentials; allowed: with ${logins.join(" or ")}`;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
    return typeof value === "object" && value !== null && !Array.isArray(value);
}
