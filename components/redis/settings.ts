import { CACHE_KEY_PREFIX, parseBytes, PORTS } from "@property-search/contract";
import { createHash } from "node:crypto";

/** Share of the pod's memory for data; the rest is for buffers, fragments and the snapshot's copies. */
export const DATA_SHARE = 0.75;

// Not below /etc/redis, which Debian's package closes to all but its own user.
export const AUTH_FOLDER = "/run/redis-auth";
export const CONFIG_FOLDER = "/run/redis-config";
export const DATA_FOLDER = "/data";

/** User of the probes. It may only run PING, and has no password. */
export const HEALTH_USER = "health";
const ADMIN_USER = "admin";
export const APP_USER = "app";
export const EXPORTER_USER = "exporter";

/** Keys of the auth Secret, and names of its files in the pods. */
export const AUTH_FILES = {
    users: "users.acl",
    replication: "replication.conf",
    adminPassword: "admin-password",
} as const;

/** Passwords of one ACL user. */
export interface UserPasswords {
    /** Password that clients log in with. */
    readonly current: string;
    /** Passwords that are also accepted while one replaces another. */
    readonly others: readonly string[];
}

/** Arguments of `redisConf`. */
export interface RedisConfArgs {
    /** Memory limit of the pod, as a Kubernetes quantity. */
    readonly memoryLimit: string;
    /** Whether the server is a node of a Redis Cluster. */
    readonly clustered: boolean;
}

/** redis.conf for Redis 7 and newer. */
export function redisConf({ memoryLimit, clustered }: RedisConfArgs): string {
    const maxmemory = Math.floor((parseBytes(memoryLimit) ?? NaN) * DATA_SHARE);
    return lines(
        `port ${PORTS.redis}`,
        "bind * -::*",
        // Protected mode is for servers without users; here every user but the probes' has a password.
        "protected-mode no",
        `aclfile ${AUTH_FOLDER}/${AUTH_FILES.users}`,
        "tcp-keepalive 60",
        "maxclients 4000",
        `maxmemory ${maxmemory}`,
        "maxmemory-policy allkeys-lfu",
        "lazyfree-lazy-eviction yes",
        "lazyfree-lazy-expire yes",
        "lazyfree-lazy-server-del yes",
        // Snapshots make a restart warm. The cache keeps serving when a snapshot fails.
        `dir ${DATA_FOLDER}`,
        "save 300 100",
        "stop-writes-on-bgsave-error no",
        "appendonly no",
        ...(clustered ? clusterConf() : []),
    );
}

function clusterConf(): string[] {
    return [
        `include ${AUTH_FOLDER}/${AUTH_FILES.replication}`,
        "cluster-enabled yes",
        "cluster-config-file nodes.conf",
        "cluster-node-timeout 5000",
        // Names outlive pods; addresses do not.
        "cluster-preferred-endpoint-type hostname",
        // A cache with a hole is worth more than no cache.
        "cluster-require-full-coverage no",
        "cluster-allow-reads-when-down yes",
        "replica-serve-stale-data yes",
    ];
}

/**
 * Users with least privilege; the file holds hashes of their passwords.
 * The service reads and writes its own keys, also by the script that releases a lease, and reads the time. It can neither flush the cache
 * nor read or change the configuration of Redis.
 * The exporter reads statistics. CONFIG GET would show the replication password.
 */
export function aclFile(
    passwords: Readonly<Record<"app" | "exporter" | "admin", UserPasswords>>,
): string {
    const slots = "+cluster|slots +cluster|shards +cluster|nodes +cluster|info +cluster|myid";
    return lines(
        "user default off resetpass resetkeys resetchannels -@all",
        `user ${HEALTH_USER} on nopass -@all +ping`,
        `user ${APP_USER} on ${hashes(passwords.app)} ~${CACHE_KEY_PREFIX}* ` +
            `-@all +@read +@write +@connection +@transaction -@dangerous -@admin +eval +info +time ${slots}`,
        `user ${EXPORTER_USER} on ${hashes(passwords.exporter)} ` +
            `-@all +@connection -@dangerous -@admin +info +dbsize +slowlog|get +slowlog|len ` +
            `+latency|latest +latency|histogram ${slots}`,
        `user ${ADMIN_USER} on ${hashes(passwords.admin)} ~* &* +@all`,
    );
}

function hashes({ current, others }: UserPasswords): string {
    return [...new Set([current, ...others])].map((password) => `#${sha256(password)}`).join(" ");
}

/** Login of a replica to its primary, the only password that Redis itself needs. */
export function replicationConf(password: string): string {
    return lines(`masteruser ${ADMIN_USER}`, `masterauth ${password}`);
}

export function sha256(text: string): string {
    return createHash("sha256").update(text).digest("hex");
}

function lines(...text: readonly string[]): string {
    return `${text.join("\n")}\n`;
}
