import { parseTenantId } from "@property-search/contract";
import { createHash, randomBytes } from "node:crypto";

export interface TenantKey {
    /** Key for the tenant; it is not stored. */
    readonly key: string;
    /** Entry of the stack's tenants.list. */
    readonly configEntry: {
        readonly id: string;
        readonly keys: readonly { readonly sha256: string }[];
    };
}

/**
 * Creates an API key of a tenant: 256 random bits with a prefix that secret scanners recognize.
 *
 * @throws UserError for an invalid tenant id
 */
export function createTenantKey(id: string): TenantKey {
    parseTenantId(id);
    const key = `ps-${id}-${randomBytes(32).toString("base64url")}`;
    const sha256 = createHash("sha256").update(key).digest("hex");
    const listed = { id, keys: [{ sha256 }] };
    return { key, configEntry: listed };
}
