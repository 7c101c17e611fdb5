import { hash } from "node:crypto";

import type { Input } from "../input.ts";

/** Incremented when the meaning of keys changes, which invalidates old entries. */
export const SCHEMA_VERSION = "2";

/** The only input type so far: the service does not tell queries from documents. */
export const INPUT_TYPE = "none";

/** Vector space of an entry. Vectors of two spaces are never interchangeable. */
export interface KeySpace {
    readonly tenant: string;
    /** Incremented to invalidate all entries of a tenant at once. */
    readonly epoch: string;
    readonly provider: string;
    readonly model: string;
    /** Revision of the model's weights: a new revision has new vectors under the same name. */
    readonly revision: string;
    readonly inputType: string;
}

const SPACE_DIGEST_DIGITS = 16;

export interface KeyOf {
    /** @returns the cache key of an input, 43 characters of base64url (SHA-256) */
    (input: Input, dimensions: number | undefined): string;
    /** Lets a thread derive the same keys. */
    readonly space: KeySpace;
}

/** Clients choose the dimensions; the number of cached prefixes is bounded. */
const MAX_PREFIXES = 256;

/**
 * Keys are SHA-256 over length-prefixed fields. Without lengths, "x" + "y:z" and "x:y" + "z" would collide;
 * this has happened elsewhere with model names that contain a colon.
 */
export function createKeyOf(space: KeySpace): KeyOf {
    const stem = encodeSpace(space);
    const prefixes = new Map<string, string>();

    function prefix(kind: Input["kind"], dimensions: number | undefined): string {
        const policy = dimensions === undefined ? "native" : String(dimensions);
        const name = `${kind}/${policy}`;
        let known = prefixes.get(name);
        if (known === undefined) {
            known = stem + encodeFields([policy, kind]);
            if (prefixes.size >= MAX_PREFIXES) prefixes.clear();
            prefixes.set(name, known);
        }
        return known;
    }

    function keyOf(input: Input, dimensions: number | undefined): string {
        const content = input.kind === "text" ? input.text : input.ids.join(",");
        const encoded = `${prefix(input.kind, dimensions)}${Buffer.byteLength(content)}:${content}`;
        return hash("sha256", encoded, "base64url");
    }

    return Object.assign(keyOf, { space });
}

/**
 * @param epochOf returns the current epoch of a tenant
 * @returns the key function of a tenant, identical as long as the epoch is the same
 */
export function createKeysOf(
    space: Omit<KeySpace, "tenant" | "epoch">,
    epochOf: (tenant: string) => string,
): (tenant: string) => KeyOf {
    return memoiseByEpoch(epochOf, (tenant, epoch) => createKeyOf({ tenant, epoch, ...space }));
}

/**
 * Keys do not reveal their space, but exports select entries by it.
 *
 * @returns the digest of a tenant's current key space, 16 hexadecimal digits
 */
export function createSpaceOf(
    space: Omit<KeySpace, "tenant" | "epoch">,
    epochOf: (tenant: string) => string,
): (tenant: string) => string {
    return memoiseByEpoch(epochOf, (tenant, epoch) => {
        const stem = encodeSpace({ tenant, epoch, ...space });
        return hash("sha256", stem, "hex").slice(0, SPACE_DIGEST_DIGITS);
    });
}

/** @returns the value of a tenant, which is created again when its epoch has changed */
function memoiseByEpoch<T>(
    epochOf: (tenant: string) => string,
    create: (tenant: string, epoch: string) => T,
): (tenant: string) => T {
    const cache = new Map<string, { readonly epoch: string; readonly value: T }>();
    return (tenant) => {
        const epoch = epochOf(tenant);
        const known = cache.get(tenant);
        if (known?.epoch === epoch) return known.value;
        const value = create(tenant, epoch);
        cache.set(tenant, { epoch, value });
        return value;
    };
}

function encodeSpace(space: KeySpace): string {
    const { tenant, epoch, provider, model, revision, inputType } = space;
    return encodeFields([SCHEMA_VERSION, tenant, epoch, provider, model, revision, inputType]);
}

function encodeFields(fields: readonly string[]): string {
    return fields.map((field) => `${Buffer.byteLength(field)}:${field}`).join("");
}
