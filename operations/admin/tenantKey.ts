import { parseTenantId } from "@property-search/contract";
import { createHash, randomBytes } from "node:crypto";

export interface TenantKey {
    /** Goes to the tenant, and is kept nowhere. */
    readonly key: string;
    /** Goes into the stack's tenants.list. */
    readonly listed: { readonly id: string; readonly keys: readonly { readonly sha256: string }[] };
}

/**
 * A new API key of a tenant: 256 random bits, with a beginning by which people and secret scanners
 * know it.
 *
 * @throws UserError for an id that no tenant can have
 */
export function newTenantKey(id: string): TenantKey {
    parseTenantId(id);
    const key = `ps-${id}-${randomBytes(32).toString("base64url")}`;
    const sha256 = createHash("sha256").update(key).digest("hex");
    const listed = { id, keys: [{ sha256 }] };
    return { key, listed };
}
