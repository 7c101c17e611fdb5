/**
 * Config keys of the secrets that are generated at the first deployment of a stack. The program requires them,
 * operations/ generates them, and a rendering without them shows `[secret]`.
 */
export const GENERATED_SECRETS = [
    /** ACL user of the embedding service. */
    "redis.passwords.app",
    /** ACL user of the metrics exporter. */
    "redis.passwords.exporter",
    /** ACL user that administers Redis: replication, forming the cluster. */
    "redis.passwords.admin",
    /** API key of the tenant "platform", which the operators and tools of the platform use. */
    "tenants.platformKey",
    /** Bearer token of the service's admin port. */
    "admin.token",
    /** Bearer token of the service's automation port. */
    "admin.automationToken",
    /** Token with which people and programs log in to the page of insights. */
    "insights.accessToken",
    /** Password of Grafana's user `admin`. */
    "grafana.adminPassword",
    /** Key with which Grafana encrypts secrets in its database. */
    "grafana.secretKey",
] as const;

export type GeneratedSecret = (typeof GENERATED_SECRETS)[number];

/**
 * Secrets that accept two values during a rotation, with the config keys of the next value, accepted before it
 * is used, and of the previous value, accepted until it is no longer used.
 */
export const OVERLAPPING_SECRETS = {
    "redis.passwords.app": overlap("redis", "passwords.app"),
    "redis.passwords.exporter": overlap("redis", "passwords.exporter"),
    "redis.passwords.admin": overlap("redis", "passwords.admin"),
    "tenants.platformKey": overlap("tenants", "platformKey"),
} as const satisfies Partial<Record<GeneratedSecret, Overlap>>;

export type OverlappingSecret = keyof typeof OVERLAPPING_SECRETS;

export interface Overlap {
    readonly next: string;
    readonly previous: string;
}

function overlap(part: string, secret: string): Overlap {
    const name = secret.charAt(0).toUpperCase() + secret.slice(1);
    return { next: `${part}.next${name}`, previous: `${part}.previous${name}` };
}
