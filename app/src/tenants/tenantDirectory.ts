import { hash } from "node:crypto";

import type { ListedTenant, Tenant } from "@property-search/contract";
import { LRUCache } from "lru-cache";

import { wallClock } from "../clock.ts";

/** Finds tenants by their API keys. */
export interface TenantDirectory {
    /** @param header raw value of an Authorization or api-key header */
    readonly findByHeader: (header: string) => Tenant | undefined;
    readonly findById: (id: string) => Tenant | undefined;
    readonly ids: readonly string[];
}

const BEARER = /^bearer +/i;
/** Cache of resolved headers. Only valid ones are cached, so guessing cannot fill it. */
const MAX_CACHED_HEADERS = 10_000;
const CACHE_MILLISECONDS = 10_000;
/** A client may pad a valid key with blanks in 16 KiB; such a header is resolved each time. */
const MAX_CACHED_CHARACTERS = 256;

/**
 * Keys are looked up by their SHA-256. A fast hash is appropriate, because keys are random and cannot be
 * guessed faster. Looking up a digest does not reveal how close a wrong key was.
 */
export function createTenantDirectory(tenants: readonly ListedTenant[]): TenantDirectory {
    const byHash = new Map(
        tenants.flatMap((tenant) =>
            tenant.keys.map(({ sha256, expires }) => [sha256, { tenant, expires }] as const),
        ),
    );
    const byId = new Map(tenants.map((tenant) => [tenant.id, tenant]));
    const cache = new LRUCache<string, Tenant>({
        max: MAX_CACHED_HEADERS,
        ttl: CACHE_MILLISECONDS,
    });
    return {
        ids: [...byId.keys()],
        findById: (id) => byId.get(id),
        findByHeader: (header) => {
            const known = cache.get(header);
            if (known) return known;
            const found = byHash.get(hash("sha256", extractKey(header), "hex"));
            if (!found || (found.expires !== undefined && found.expires <= wallClock())) {
                return undefined;
            }
            // A part of the head would retain all of it.
            if (header.length <= MAX_CACHED_CHARACTERS)
                cache.set(Buffer.from(header, "latin1").toString("latin1"), found.tenant);
            return found.tenant;
        },
    };
}

/** @returns the key in the raw value of an Authorization or api-key header */
export function extractKey(header: string): string {
    return header.replace(BEARER, "").trim();
}
