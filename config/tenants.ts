import { parseTenants, TenantsError } from "@property-search/contract";
import { token } from "@property-search/contract/settings";
import type * as pulumi from "@pulumi/pulumi";
import { readOverlap } from "./overlap.ts";
import { GENERATED, type ConfigReader } from "./reader.ts";

export interface TenantsConfig {
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
    const list = read.optional("tenants.list", { fits: () => true, words: LIST }) ?? NOBODY;
    for (const problem of problemsOf(list))
        read.addError(
            "tenants.list",
            `is wrong: ${problem}${problem.includes("allowed: ") ? "" : `; allowed: ${LIST}`}`,
        );
    const platformKey = read.requiredSecret("tenants.platformKey", KEY, GENERATED);
    const otherPlatformKeys = readOverlap(read, "tenants.platformKey", KEY);
    return { list, platformKey, otherPlatformKeys };
}

function problemsOf(list: string): readonly string[] {
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
