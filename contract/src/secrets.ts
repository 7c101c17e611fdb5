/**
 * Config keys of the secrets that a stack makes for itself, once, on its first deploy. The program
 * requires them, deploy/ generates them, and a rendering without them shows `[secret]`.
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
