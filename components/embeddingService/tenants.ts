import { EXAMPLE_TENANT } from "@property-search/contract";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { createHash, createHmac } from "node:crypto";

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
    /**
     * Whether the example is a tenant too, with a key that `exampleApiKey` derives from that of `platform`.
     * @default false
     */
    readonly example?: boolean;
}

/**
 * API key of the example, so that the key of `platform` does not reach the cluster. It changes with that key and needs no
 * rotation of its own, and does not reveal it.
 */
export function exampleApiKey(platformKey: string): string {
    return createHmac("sha256", platformKey).update(EXAMPLE_TENANT).digest("hex");
}

/** Name of the Secret in each colour's namespace, and of the file in it. */
export const TENANTS_SECRET = { name: "tenants", file: "tenants.json" } as const;
export const TENANTS_FOLDER = "/etc/tenants";

/** Declares the Secret with the file of tenants, which the service reads. */
export function tenantsSecret(
    name: string,
    metadata: k8s.types.input.meta.v1.ObjectMeta,
    { platformKey, otherPlatformKeys = [], list = "[]", example = false }: TenantsArgs,
    opts: pulumi.CustomResourceOptions,
): k8s.core.v1.Secret {
    const file = pulumi.output([platformKey, ...otherPlatformKeys]).apply((accepted) => {
        const own = [
            { id: "platform", keys: hashesOf(accepted) },
            ...(example
                ? [{ id: EXAMPLE_TENANT, keys: hashesOf(accepted.map(exampleApiKey)) }]
                : []),
        ];
        return JSON.stringify({ tenants: [...own, ...(JSON.parse(list) as unknown[])] });
    });
    return new k8s.core.v1.Secret(
        name,
        { metadata, stringData: { [TENANTS_SECRET.file]: pulumi.secret(file) } },
        opts,
    );
}

function hashesOf(keys: readonly string[]) {
    const hashes = keys.map((key) => createHash("sha256").update(key).digest("hex"));
    // The service rejects a hash that is listed twice.
    return [...new Set(hashes)].map((sha256) => ({ sha256 }));
}
