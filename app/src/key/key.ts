import { hash } from "node:crypto";

import type { Input } from "../input.ts";

/** Raised when the meaning of a key changes, so that old entries are not found any more. */
export const SCHEMA_VERSION = "2";

/** The vector space of an entry: vectors of two spaces must never answer for each other. */
export interface KeySpace {
    readonly tenant: string;
    /** Raised to leave all entries of a tenant behind at once. */
    readonly epoch: string;
    readonly provider: string;
    readonly model: string;
    /** Of the model's weights: a new revision has new vectors under an old name. */
    readonly revision: string;
    readonly inputType: string;
}

const SPACE_DIGITS = 16;

export interface KeyOf {
    /** @returns the cache key of an input, as 43 characters of base64url (SHA-256) */
    (input: Input, dimensions: number | undefined): string;
    /** What a thread without the function makes the same keys of. */
    readonly space: KeySpace;
}

/** Clients choose lengths of vectors: so many are remembered with what their keys begin with. */
const MAX_PREFIXES = 256;

/**
 * Keys are SHA-256 over length-prefixed fields. Without lengths, "x" + "y:z" and "x:y" + "z" would
 * share a key, which has happened to others with model names that hold a colon.
 */
export function keyMaker(space: KeySpace): KeyOf {
    const stem = stemOf(space);
    const prefixes = new Map<string, string>();

    function prefix(kind: Input["kind"], dimensions: number | undefined): string {
        const policy = dimensions === undefined ? "native" : String(dimensions);
        const name = `${kind}/${policy}`;
        let known = prefixes.get(name);
        if (known === undefined) {
            known = stem + frame([policy, kind]);
            if (prefixes.size >= MAX_PREFIXES) prefixes.clear();
            prefixes.set(name, known);
        }
        return known;
    }

    function keyOf(input: Input, dimensions: number | undefined): string {
        const content = input.kind === "text" ? input.text : input.ids.join(",");
        const framed = `${prefix(input.kind, dimensions)}${Buffer.byteLength(content)}:${content}`;
        return hash("sha256", framed, "base64url");
    }

    return Object.assign(keyOf, { space });
}

/**
 * @param epochOf a tenant, as it is now
 * @returns the key maker of a tenant: the same one for as long as the tenant's epoch is the same
 */
export function keyMakers(
    space: Omit<KeySpace, "tenant" | "epoch">,
    epochOf: (tenant: string) => string,
): (tenant: string) => KeyOf {
    const made = new Map<string, { readonly epoch: string; readonly keyOf: KeyOf }>();
    return (tenant) => {
        const epoch = epochOf(tenant);
        const known = made.get(tenant);
        if (known?.epoch === epoch) return known.keyOf;
        const keyOf = keyMaker({ tenant, epoch, ...space });
        made.set(tenant, { epoch, keyOf });
        return keyOf;
    };
}

/**
 * A key hides its space, and entries must be found by it: when a tenant's cache is exported.
 *
 * @returns the digest of a tenant's space as it is now, 16 digits in hex
 */
export function spaceDigests(
    space: Omit<KeySpace, "tenant" | "epoch">,
    epochOf: (tenant: string) => string,
): (tenant: string) => string {
    return (tenant) => {
        const stem = stemOf({ tenant, epoch: epochOf(tenant), ...space });
        return hash("sha256", stem, "hex").slice(0, SPACE_DIGITS);
    };
}

function stemOf(space: KeySpace): string {
    const { tenant, epoch, provider, model, revision, inputType } = space;
    return frame([SCHEMA_VERSION, tenant, epoch, provider, model, revision, inputType]);
}

function frame(fields: readonly string[]): string {
    return fields.map((field) => `${Buffer.byteLength(field)}:${field}`).join("");
}
