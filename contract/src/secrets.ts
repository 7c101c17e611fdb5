/**
 * Config keys of the secrets that a stack makes for itself, once, on its first deploy. The program
 * requires them, operations/ generates them, and a rendering without them shows `[secret]`.
 */
export const GENERATED_SECRETS = [
    /** ACL user of the embedding service. */
    "redis.passwords.app",
    /** ACL user of the metrics exporter. */
    "redis.passwords.exporter",
    /** ACL user that administers Redis: replication, forming the cluster. */
    "redis.passwords.admin",
    /** API key of the tenant "platform", by which the people and tools of the platform ask. */
    "tenants.platformKey",
    /** Bearer token of the service's admin port. */
    "admin.token",
    /** Password of Grafana's user `admin`. */
    "grafana.adminPassword",
    /** By which Grafana encrypts what its database keeps. */
    "grafana.secretKey",
] as const;

export type GeneratedSecret = (typeof GENERATED_SECRETS)[number];

/**
 * Secrets that are accepted under two values while one replaces another, each with the config keys of its
 * successor, accepted before anybody uses it, and of its predecessor, accepted until nobody uses it any more.
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
