/** Providers of cert-manager's DNS-01 solver (https://cert-manager.io/docs/configuration/acme/dns01/). */
const PROVIDERS = [
    "acmeDNS",
    "akamai",
    "azureDNS",
    "cloudDNS",
    "cloudflare",
    "digitalocean",
    "rfc2136",
    "route53",
    "webhook",
] as const;

const NOT_PROVIDERS = ["cnameStrategy"];

const EXAMPLE =
    'an object such as {"cloudflare":{"apiTokenSecretRef":{"name":"embedding-gateway-dns01","key":"secret"}}}';

interface Checked {
    /** Findings, in words that follow the key's name. */
    readonly findings: readonly string[];
    /** Secrets that the solver names. */
    readonly names: readonly string[];
}

/** Checks a DNS-01 solver as far as it is the same for all providers: cert-manager's webhook checks the rest. */
export function checkSolver(solver: unknown): Checked {
    if (!isObject(solver)) {
        const found = solver === undefined ? "is not set" : `is ${JSON.stringify(solver)}`;
        const reason = "since certificates.challenge is dns01";
        return { findings: [`${found}; allowed: ${EXAMPLE}, ${reason}`], names: [] };
    }
    const providers = Object.keys(solver).filter((key) => !NOT_PROVIDERS.includes(key));
    const unknown = providers.filter((key) => !PROVIDERS.some((one) => one === key));
    const references = referencesIn(solver);
    const broken = references.filter(({ value }) => !isReference(value));
    return {
        findings: [
            ...unknown.map((key) => `has "${key}"; allowed: ${PROVIDERS.join(", ")}`),
            ...(providers.length === 1
                ? []
                : [`has ${providers.length} providers; allowed: exactly one`]),
            ...broken.map(
                ({ path, value }) =>
                    `has ${path} ${JSON.stringify(value)}; allowed: {"name": a Secret, "key": one of its keys}`,
            ),
        ],
        names: references.flatMap(({ value }) => (isReference(value) ? [value.name] : [])),
    };
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
    return isObject(value) && typeof value.name === "string" && value.name !== "";
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
    return typeof value === "object" && value !== null && !Array.isArray(value);
}
