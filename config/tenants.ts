import { readTenants, TenantsError } from "@property-search/contract";
import type * as pulumi from "@pulumi/pulumi";
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

const NOBODY = "[]";

export function readTenantsConfig(read: ConfigReader): TenantsConfig {
    const anonymous = read.boolean("tenants.anonymous");
    const list = read.optional("tenants.list", { fits: () => true, words: "" }) ?? NOBODY;
    for (const finding of findingsOf(list)) read.finding("tenants.list", `is wrong: ${finding}`);
    const platformKey = read.requiredSecret("tenants.platformKey", GENERATED);
    const otherPlatformKeys = readOverlap(read, "tenants.platformKey");
    return { anonymous, list, platformKey, otherPlatformKeys };
}

function findingsOf(list: string): readonly string[] {
    try {
        readTenants(`{"tenants":${list}}`);
        return [];
    } catch (error) {
        return error instanceof TenantsError ? error.findings : [String(error)];
    }
}
