import type * as pulumi from "@pulumi/pulumi";
import { readOverlap } from "./overlap.ts";
import type { ConfigReader } from "./reader.ts";

export interface TenantsConfig {
    /** Listed tenants as JSON: hashes of keys, never keys. */
    readonly list: string;
    readonly platformKey: pulumi.Output<string>;
    /** Accepted too, while one key replaces another. */
    readonly otherPlatformKeys: readonly pulumi.Output<string>[];
}

export function readTenantsConfig(read: ConfigReader): TenantsConfig {
    return {
        ...read.group("tenants"),
        otherPlatformKeys: readOverlap(read, "tenants.platformKey"),
    };
}
