import { findDuplicateKey } from "./duplicateKey.ts";
import { CACHE_MODES, type CacheMode } from "./http.ts";
import { invalidValue, UserError } from "./userError.ts";

/** A client organisation of the service. */
export interface Tenant {
    /** Key of usage counts and limits. */
    readonly id: string;
    /** Name of the pool of cache entries that it shares. Default: its ID. */
    readonly pool: string;
    readonly limits: Limits | undefined;
    /** Mode of requests without the header. Default: that of service.semanticMode. */
    readonly cacheMode?: CacheMode | undefined;
}

/** Limits of a tenant across all pods. Absent: unlimited. */
export interface Limits {
    readonly requestsPerSecond?: number;
    /** Requests allowed at once. Default: two seconds' worth. */
    readonly burst?: number;
    /** Tokens sent upstream; cache hits are free. */
    readonly tokensPerMinute?: number;
    readonly tokensPerMonth?: number;
    readonly concurrentRequests?: number;
}

/** A tenant with the hashes of its API keys; several are valid during a rotation. */
export interface ListedTenant extends Tenant {
    readonly keys: readonly { readonly sha256: string; readonly expires: number | undefined }[];
}

/** All errors of a tenants file, one per line. */
export class TenantsError extends UserError {
    override readonly name = "TenantsError";
    readonly errors: readonly string[];

    constructor(errors: readonly string[]) {
        super(`The tenants file is invalid:\n${errors.map((one) => `  ${one}`).join("\n")}`);
        this.errors = errors;
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
const FIELDS = ["id", "keys", "pool", "limits", "cacheMode"];

/**
 * Reads `{"tenants": [{"id", "keys": [{"sha256", "expires"?}], "pool"?, "limits"?, "cacheMode"?}]}`.
 *
 * @throws TenantsError with all errors; hashes are not shown
 */
export function parseTenants(text: string): readonly ListedTenant[] {
    const errors: string[] = [];
    const listed = parseTenantList(text, errors);
    const tenants = listed.map((one, at) => parseTenant(one, `tenants[${at}]`, errors));
    const ids = new Map<string, number>();
    const hashes = new Map<string, number>();
    tenants.forEach((tenant, at) => {
        checkUnique(ids, tenant.id, at, `tenants[${at}].id "${tenant.id}"`, errors);
        for (const { sha256 } of tenant.keys) {
            checkUnique(hashes, sha256, at, `tenants[${at}].keys has a hash that`, errors);
        }
    });
    if (errors.length > 0) throw new TenantsError(errors);
    return tenants;
}

function parseTenantList(text: string, errors: string[]): readonly unknown[] {
    try {
        const { tenants } = JSON.parse(text) as { tenants?: unknown };
        const key = findDuplicateKey(text);
        if (key !== undefined)
            errors.push(`${JSON.stringify(key)} is in an object twice; allowed: once`);
        if (Array.isArray(tenants)) return tenants;
        errors.push('tenants is missing; allowed: {"tenants": [...]}');
    } catch {
        errors.push("the file is not JSON");
    }
    return [];
}

function parseTenant(value: unknown, where: string, errors: string[]): ListedTenant {
    const fields = (typeof value === "object" && value !== null ? value : {}) as Record<
        string,
        unknown
    >;
    for (const field of Object.keys(fields)) {
        if (FIELDS.includes(field)) continue;
        errors.push(`${where}.${field} is unknown; allowed: ${FIELDS.join(", ")}`);
    }
    const id = parseId(fields.id, `${where}.id`, errors);
    const pool = fields.pool === undefined ? id : parseId(fields.pool, `${where}.pool`, errors);
    return {
        id,
        pool,
        keys: parseKeys(fields.keys, `${where}.keys`, errors),
        limits: parseLimits(fields.limits, `${where}.limits`, errors),
        cacheMode: parseCacheMode(fields.cacheMode, `${where}.cacheMode`, errors),
    };
}

function parseCacheMode(value: unknown, where: string, errors: string[]): CacheMode | undefined {
    const mode = CACHE_MODES.find((one) => one === value);
    if (value !== undefined && mode === undefined)
        errors.push(`${where} is ${JSON.stringify(value)}; allowed: ${CACHE_MODES.join(", ")}`);
    return mode;
}

/** @throws UserError if `id` is not a valid tenant ID */
export function parseTenantId(id: string): string {
    if (ID.test(id)) return id;
    throw invalidValue("TENANT", id, ID_WORDS);
}

function parseId(value: unknown, where: string, errors: string[]): string {
    if (typeof value === "string" && ID.test(value)) return value;
    const shown = value === undefined ? "missing" : JSON.stringify(value);
    errors.push(`${where} is ${shown}; allowed: ${ID_WORDS}`);
    return "";
}

function parseKeys(value: unknown, where: string, errors: string[]): ListedTenant["keys"] {
    if (!Array.isArray(value) || value.length === 0) {
        errors.push(`${where} must list at least one {"sha256": …}`);
        return [];
    }
    return value.map((one: unknown, at) => {
        const { sha256, expires } = (one ?? {}) as { sha256?: unknown; expires?: unknown };
        const isValid = typeof sha256 === "string" && SHA256.test(sha256);
        if (!isValid)
            errors.push(`${where}[${at}].sha256 must be 64 lower-case hexadecimal digits`);
        const until = typeof expires === "string" ? Date.parse(expires) : undefined;
        if (expires !== undefined && (until === undefined || Number.isNaN(until))) {
            errors.push(`${where}[${at}].expires must be a time such as 2027-01-31T00:00:00Z`);
        }
        return { sha256: isValid ? sha256 : "", expires: until };
    });
}

function parseLimits(value: unknown, where: string, errors: string[]): Limits | undefined {
    if (value === undefined) return undefined;
    if (typeof value !== "object" || value === null) {
        errors.push(`${where} must be an object`);
        return {};
    }
    const known: readonly string[] = LIMITS;
    return Object.fromEntries(
        Object.entries(value).filter(([limit, most]: [string, unknown]) => {
            const isValid = typeof most === "number" && Number.isFinite(most) && most > 0;
            if (!known.includes(limit)) {
                errors.push(`${where}.${limit} is unknown; allowed: ${LIMITS.join(", ")}`);
            } else if (!isValid) {
                errors.push(`${where}.${limit} is ${JSON.stringify(most)}; allowed: above 0`);
            }
            return isValid;
        }),
    );
}

function checkUnique(
    positions: Map<string, number>,
    value: string,
    at: number,
    what: string,
    errors: string[],
): void {
    const before = positions.get(value);
    if (value !== "" && before !== undefined)
        errors.push(`${what} also appears in tenants[${before}]`);
    positions.set(value, at);
}
