import { parseTenants, TenantsError } from "@property-search/contract";
import type * as pulumi from "@pulumi/pulumi";
import { token } from "./allowed.ts";
import { readOverlap } from "./overlap.ts";
import { GENERATED, type ConfigReader } from "./reader.ts";

export interface TenantsConfig {
    /** Who sends no key is served too. */
    readonly anonymous: boolean;
    /** Listed tenants as JSON: hashes of keys, never keys. */
    readonly list: string;
    readonly platformKey: pulumi.Output<string>;
    /** Accepted too, while one key replaces another. */
    readonly otherPlatformKeys: readonly pulumi.Output<string>[];
}

const LIST = "a JSON list of tenants, as docs/service/tenants.md has it";
const NOBODY = "[]";
const PLATFORM = "platform";
const KEY = token(16, "a key");
/** A Secret holds no more than 1 MiB, in base64. */
const MOST_CHARACTERS = 500_000;

export function readTenantsConfig(read: ConfigReader): TenantsConfig {
    const anonymous = read.boolean("tenants.anonymous");
    const list = read.optional("tenants.list", { fits: () => true, words: LIST }) ?? NOBODY;
    for (const finding of findingsOf(list))
        read.finding(
            "tenants.list",
            `is wrong: ${finding}${finding.includes("allowed: ") ? "" : `; allowed: ${LIST}`}`,
        );
    const platformKey = read.requiredSecret("tenants.platformKey", KEY, GENERATED);
    const otherPlatformKeys = readOverlap(read, "tenants.platformKey", KEY);
    return { anonymous, list, platformKey, otherPlatformKeys };
}

function findingsOf(list: string): readonly string[] {
    if (list.length > MOST_CHARACTERS) {
        return [`it has ${list.length} characters; allowed: ${MOST_CHARACTERS}`];
    }
    try {
        const tenants: unknown = JSON.parse(list);
        const isOurs = parseTenants(JSON.stringify({ tenants })).some(({ id }) => id === PLATFORM);
        return isOurs ? [`it lists ${PLATFORM}, which is there always`] : [];
    } catch (error) {
        if (error instanceof SyntaxError) return ["it is not JSON"];
        return error instanceof TenantsError ? error.errors : [String(error)];
    }
}
