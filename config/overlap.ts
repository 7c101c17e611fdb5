import { OVERLAPPING_SECRETS, type OverlappingSecret } from "@property-search/contract";
import type * as pulumi from "@pulumi/pulumi";
import type { ConfigReader } from "./reader.ts";
import { SETTINGS } from "./settings/index.ts";

/** The values under which a secret is accepted besides its own: those of its successor and predecessor. */
export function readOverlap(read: ConfigReader, key: OverlappingSecret): pulumi.Output<string>[] {
    const { next, previous } = OVERLAPPING_SECRETS[key];
    return [next, previous].flatMap((one) => read.secret(one, SETTINGS[key]) ?? []);
}
