import { notAllowed, UserError } from "./userError.ts";

/** Who asks. */
export interface Tenant {
    /** Counts and limits are kept by it. */
    readonly id: string;
    /** Whose cache entries it shares; its own unless it agreed to share with others. */
    readonly pool: string;
    readonly limits: Limits | undefined;
}

/** What a tenant may use, over all pods. Absent: no limit. */
export interface Limits {
    readonly requestsPerSecond?: number;
    /** Requests that may come at once. Default: two seconds' worth. */
    readonly burst?: number;
    /** Tokens that reach the upstream; those out of a cache are free. */
    readonly tokensPerMinute?: number;
    readonly tokensPerMonth?: number;
    readonly concurrentRequests?: number;
}

/** A tenant with the hashes of its keys, of which several may hold while one is being replaced. */
export interface ListedTenant extends Tenant {
    readonly keys: readonly { readonly sha256: string; readonly expires: number | undefined }[];
}

/** Everything that is wrong with a file of tenants, one line a finding. */
export class TenantsError extends UserError {
    override readonly name = "TenantsError";
    readonly findings: readonly string[];

    constructor(findings: readonly string[]) {
        super(`The file of tenants is wrong:\n${findings.map((one) => `  ${one}`).join("\n")}`);
        this.findings = findings;
    }
}

const ID = /^[a-z0-9][a-z0-9._-]{0,62}$/;
const ID_WORDS = 'lower-case letters, digits, ".", "_" and "-"';
const SHA256 = /^[0-9a-f]{64}$/;
const LIMITS = [
    "requestsPerSecond",
    "burst",
    "tokensPerMinute",
    "tokensPerMonth",
    "concurrentRequests",
] as const satisfies readonly (keyof Limits)[];
const FIELDS = ["id", "keys", "pool", "limits"];

/**
 * Reads `{"tenants": [{"id", "keys": [{"sha256", "expires"?}], "pool"?, "limits"?}]}`.
 *
 * @throws TenantsError with every finding at once; hashes are not shown
 */
export function readTenants(text: string): readonly ListedTenant[] {
    const findings: string[] = [];
    const listed = listOf(text, findings);
    const tenants = listed.map((one, at) => readTenant(one, `tenants[${at}]`, findings));
    const ids = new Map<string, number>();
    const hashes = new Map<string, number>();
    tenants.forEach((tenant, at) => {
        repeated(ids, tenant.id, at, `tenants[${at}].id is "${tenant.id}", which`, findings);
        for (const { sha256 } of tenant.keys) {
            repeated(hashes, sha256, at, `tenants[${at}].keys holds a hash that`, findings);
        }
    });
    if (findings.length > 0) throw new TenantsError(findings);
    return tenants;
}

function listOf(text: string, findings: string[]): readonly unknown[] {
    try {
        const { tenants } = JSON.parse(text) as { tenants?: unknown };
        if (Array.isArray(tenants)) return tenants;
        findings.push('tenants is missing; allowed: {"tenants": [...]}');
    } catch {
        findings.push("it is not JSON");
    }
    return [];
}

function readTenant(value: unknown, where: string, findings: string[]): ListedTenant {
    const fields = (typeof value === "object" && value !== null ? value : {}) as Record<
        string,
        unknown
    >;
    for (const field of Object.keys(fields)) {
        if (FIELDS.includes(field)) continue;
        findings.push(`${where}.${field} is unknown; allowed: ${FIELDS.join(", ")}`);
    }
    const id = name(fields.id, `${where}.id`, findings);
    const pool = fields.pool === undefined ? id : name(fields.pool, `${where}.pool`, findings);
    return {
        id,
        pool,
        keys: readKeys(fields.keys, `${where}.keys`, findings),
        limits: readLimits(fields.limits, `${where}.limits`, findings),
    };
}

/** For a command line: an id that a tenant can have. */
export function readTenantId(id: string): string {
    if (ID.test(id)) return id;
    throw notAllowed("TENANT", id, ID_WORDS);
}

function name(value: unknown, where: string, findings: string[]): string {
    if (typeof value === "string" && ID.test(value)) return value;
    const shown = value === undefined ? "missing" : JSON.stringify(value);
    findings.push(`${where} is ${shown}; allowed: ${ID_WORDS}`);
    return "";
}

function readKeys(value: unknown, where: string, findings: string[]): ListedTenant["keys"] {
    if (!Array.isArray(value) || value.length === 0) {
        findings.push(`${where} must list at least one {"sha256": …}`);
        return [];
    }
    return value.map((one: unknown, at) => {
        const { sha256, expires } = (one ?? {}) as { sha256?: unknown; expires?: unknown };
        const sound = typeof sha256 === "string" && SHA256.test(sha256);
        if (!sound) findings.push(`${where}[${at}].sha256 must be 64 digits in lower-case hex`);
        const until = typeof expires === "string" ? Date.parse(expires) : undefined;
        if (expires !== undefined && (until === undefined || Number.isNaN(until))) {
            findings.push(`${where}[${at}].expires must be a time such as 2027-01-31T00:00:00Z`);
        }
        return { sha256: sound ? sha256 : "", expires: until };
    });
}

function readLimits(value: unknown, where: string, findings: string[]): Limits | undefined {
    if (value === undefined) return undefined;
    if (typeof value !== "object" || value === null) {
        findings.push(`${where} must be an object`);
        return {};
    }
    const known: readonly string[] = LIMITS;
    return Object.fromEntries(
        Object.entries(value).filter(([limit, most]: [string, unknown]) => {
            const sound = typeof most === "number" && Number.isFinite(most) && most > 0;
            if (!known.includes(limit)) {
                findings.push(`${where}.${limit} is unknown; allowed: ${LIMITS.join(", ")}`);
            } else if (!sound) {
                findings.push(`${where}.${limit} is ${JSON.stringify(most)}; allowed: above 0`);
            }
            return sound;
        }),
    );
}

function repeated(
    seen: Map<string, number>,
    value: string,
    at: number,
    what: string,
    findings: string[],
): void {
    const before = seen.get(value);
    if (value !== "" && before !== undefined) findings.push(`${what} tenants[${before}] has too`);
    seen.set(value, at);
}
