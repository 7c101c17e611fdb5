import { GENERATED_SECRETS } from "@property-search/contract";
import { randomBytes } from "node:crypto";

/** Config keys and values of the secrets that a stack generates for itself. */
export type Secrets = Readonly<Record<string, string>>;

/** 256 random bits in characters that no shell, URL or Redis ACL file gives a meaning to. */
export function generateSecret(): string {
    return randomBytes(32).toString("base64url").replaceAll(/[-_]/g, "x");
}

/** The known secrets, and a new one for each that is missing. */
export function completeSecrets(known: Secrets): { secrets: Secrets; generated: string[] } {
    const generated = GENERATED_SECRETS.filter((key) => known[key] === undefined);
    const fresh = Object.fromEntries(generated.map((key) => [key, generateSecret()]));
    return { secrets: { ...known, ...fresh }, generated };
}
