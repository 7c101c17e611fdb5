import { createHash } from "node:crypto";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";

/** Tenants of the service: its clients, each with API keys. */
export interface TenantsArgs {
    /** API key of the tenant `platform`, at least 16 characters. Only its hash reaches the cluster. */
    readonly platformKey: pulumi.Input<string>;
    /**
     * Keys of the tenant `platform` that are also accepted, while one replaces another.
     * @default none
     */
    readonly otherPlatformKeys?: readonly pulumi.Input<string>[];
    /**
     * More tenants as JSON, with the hashes of their keys (docs/service/tenants.md).
     * @default "[]"
     */
    readonly list?: string;
}

/** Name of the Secret in each colour's namespace, and of the file in it. */
export const TENANTS_SECRET = { name: "tenants", file: "tenants.json" } as const;
export const TENANTS_FOLDER = "/etc/tenants";

/** Declares the Secret with the file of tenants, which the service reads. */
export function tenantsSecret(
    name: string,
    metadata: k8s.types.input.meta.v1.ObjectMeta,
    { platformKey, otherPlatformKeys = [], list = "[]" }: TenantsArgs,
    opts: pulumi.CustomResourceOptions,
): k8s.core.v1.Secret {
    const file = pulumi.output([platformKey, ...otherPlatformKeys]).apply((accepted) => {
        const hashes = accepted.map((key) => createHash("sha256").update(key).digest("hex"));
        // The service rejects a hash that is listed twice.
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
