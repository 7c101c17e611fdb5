import { CACHE_KEY_PREFIX, PORTS } from "@property-search/contract";
import * as pulumi from "@pulumi/pulumi";
import { createHash } from "node:crypto";
import type { RedisPasswords } from "../config.ts";

/** The rest of the memory is for clients' buffers, fragmentation and a snapshot's copied pages. */
const MEMORY_SHARE = 0.75;

/**
 * redis.conf of a cache.
 *
 * @param memory bytes that the container may use.
 */
export function redisConfiguration(mode: "standalone" | "cluster", memory: number): string {
    const lines = [
        `port ${PORTS.redis}`,
        "dir /data",
        "aclfile /etc/redis-credentials/users.acl",
        `maxmemory ${Math.floor(memory * MEMORY_SHARE)}`,
        "maxmemory-policy allkeys-lfu",
        // A snapshot is for a warm restart only: when the disk is full the cache goes on.
        "save 300 1000",
        "stop-writes-on-bgsave-error no",
        "appendonly no",
        // Freeing thousands of expired vectors must not hold up the next reply.
        "lazyfree-lazy-eviction yes",
        "lazyfree-lazy-expire yes",
        "lazyfree-lazy-server-del yes",
        "tcp-keepalive 60",
    ];
    const cluster = [
        "include /etc/redis-credentials/replication.conf",
        "cluster-enabled yes",
        "cluster-config-file /data/nodes.conf",
        "cluster-node-timeout 5000",
        // Half a cache is better than none while a primary fails over.
        "cluster-require-full-coverage no",
        "cluster-preferred-endpoint-type hostname",
    ];
    return [...lines, ...(mode === "cluster" ? cluster : [])].join("\n") + "\n";
}

/**
 * The ACL file: a user per purpose, passwords as SHA-256, and no default user. The service may use keys
 * under its prefix only, and nothing that reads the server's configuration or empties it.
 */
export function redisAcl(passwords: RedisPasswords): pulumi.Output<string> {
    return pulumi.secret(
        pulumi.all([passwords.app, passwords.exporter, passwords.admin]).apply((values) => {
            const [app = "", exporter = "", admin = ""] = values.map(
                (value) => `#${createHash("sha256").update(value).digest("hex")}`,
            );
            return [
                "user default off",
                "user health on nopass -@all +ping",
                `user app on ${app} ~${CACHE_KEY_PREFIX}* resetchannels -@all ` +
                    "+@read +@write +@connection +@transaction +@scripting -@dangerous " +
                    "+info +cluster|slots +cluster|shards +cluster|nodes +cluster|info",
                // The commands that redis_exporter's documentation asks for, less those that read values.
                `user exporter on ${exporter} resetchannels -@all +@connection +info +latency ` +
                    "+slowlog +memory +config|get +cluster|info +cluster|nodes +cluster|slots +client|list",
                `user admin on ${admin} ~* &* +@all`,
                "",
            ].join("\n");
        }),
    );
}
