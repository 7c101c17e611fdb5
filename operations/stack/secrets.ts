import { GENERATED_SECRETS } from "@property-search/contract";
import { randomBytes } from "node:crypto";

/** Generated secrets by config key. */
export type Secrets = Readonly<Record<string, string>>;

/** 256 random bits in characters without special meaning in shells, URLs and Redis ACL files. */
export function generateSecret(): string {
    return randomBytes(32).toString("base64url").replaceAll(/[-_]/g, "x");
}

/** Adds a new value for each missing secret. */
export function completeSecrets(known: Secrets): { secrets: Secrets; generated: string[] } {
    const generated = GENERATED_SECRETS.filter((key) => known[key] === undefined);
    const fresh = Object.fromEntries(generated.map((key) => [key, generateSecret()]));
    return { secrets: { ...known, ...fresh }, generated };
}
