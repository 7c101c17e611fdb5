import { createHash } from "node:crypto";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";

export interface TenantsArgs {
    readonly metadata: k8s.types.input.meta.v1.ObjectMeta;
    /** Listed tenants as JSON, with hashes of keys. */
    readonly list: string;
    /** API key of the tenant "platform"; only its hash goes to the cluster. */
    readonly platformKey: pulumi.Input<string>;
    /** Accepted too. Default: none. */
    readonly otherPlatformKeys?: readonly pulumi.Input<string>[];
}

/** Name of the Secret in each colour's namespace, and of the file in it. */
export const TENANTS_SECRET = { name: "tenants", file: "tenants.json" } as const;
export const TENANTS_FOLDER = "/etc/tenants";

/** The file by which the service knows who asks. */
export function tenantsSecret(
    name: string,
    { metadata, list, platformKey, otherPlatformKeys = [] }: TenantsArgs,
    opts: pulumi.CustomResourceOptions,
): k8s.core.v1.Secret {
    const file = pulumi.output([platformKey, ...otherPlatformKeys]).apply((accepted) => {
        const hashes = accepted.map((key) => createHash("sha256").update(key).digest("hex"));
        // A hash that is listed twice is refused by the service.
        const keys = [...new Set(hashes)].map((sha256) => ({ sha256 }));
        const listed = JSON.parse(list) as unknown[];
        return JSON.stringify({ tenants: [{ id: "platform", keys }, ...listed] });
    });
    return new k8s.core.v1.Secret(
        name,
        { metadata, stringData: { [TENANTS_SECRET.file]: pulumi.secret(file) } },
        opts,
    );
}
