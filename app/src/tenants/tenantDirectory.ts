import { hash } from "node:crypto";

import type { ListedTenant, Tenant } from "@property-search/contract";
import { LRUCache } from "lru-cache";

/** Finds tenants by their API keys. */
export interface Directory {
    /** @param header raw value of an Authorization or api-key header */
    readonly tenantOf: (header: string) => Tenant | undefined;
    readonly withId: (id: string) => Tenant | undefined;
    readonly ids: readonly string[];
}

const BEARER = /^bearer +/i;
/** Cache of resolved headers. Only valid ones are cached, so guessing cannot fill it. */
const MOST_REMEMBERED = 10_000;
const REMEMBERED_MILLISECONDS = 10_000;

/**
 * Keys are looked up by their SHA-256. A fast hash is appropriate, because keys are random and cannot be
 * guessed faster. Looking up a digest does not reveal how close a wrong key was.
 */
export function directory(tenants: readonly ListedTenant[]): Directory {
    const byHash = new Map(
        tenants.flatMap((tenant) =>
            tenant.keys.map(({ sha256, expires }) => [sha256, { tenant, expires }] as const),
        ),
    );
    const byId = new Map(tenants.map((tenant) => [tenant.id, tenant]));
    const remembered = new LRUCache<string, Tenant>({
        max: MOST_REMEMBERED,
        ttl: REMEMBERED_MILLISECONDS,
    });
    return {
        ids: [...byId.keys()],
        withId: (id) => byId.get(id),
        tenantOf: (header) => {
            const known = remembered.get(header);
            if (known) return known;
            const found = byHash.get(hash("sha256", keyIn(header), "hex"));
            if (!found || (found.expires !== undefined && found.expires <= Date.now())) {
                return undefined;
            }
            remembered.set(header, found.tenant);
            return found.tenant;
        },
    };
}

/** @returns the key in the raw value of an Authorization or api-key header */
export function keyIn(header: string): string {
    return header.replace(BEARER, "").trim();
}
