import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { eventually } from "./eventually.ts";
import { startRedis, type RedisServer } from "./redisServer.ts";

export interface RedisClusterServers {
    readonly primaries: readonly RedisServer[];
    /** Of one of them, by which the others are found. */
    readonly url: URL;
    readonly kill: () => Promise<void>;
}

const SLOTS = 16_384;

/** A real Redis Cluster of so many primaries without replicas. */
export async function startRedisCluster(size: number): Promise<RedisClusterServers> {
    const folders = await Promise.all(
        Array.from({ length: size }, () => mkdtemp(join(tmpdir(), "redis-cluster-"))),
    );
    const primaries = await Promise.all(
        folders.map((folder) =>
            startRedis(undefined, [
                ...["--cluster-enabled", "yes", "--cluster-announce-ip", "127.0.0.1"],
                ...["--dir", folder],
            ]),
        ),
    );
    const [first] = primaries;
    if (!first) throw new Error("A cluster has at least one primary");
    primaries.forEach((one, at) => {
        const [from, to] = [at, at + 1].map((n) => Math.floor((n * SLOTS) / size));
        one.command("CLUSTER", "ADDSLOTSRANGE", String(from), String((to ?? 0) - 1));
        if (one !== first) one.command("CLUSTER", "MEET", "127.0.0.1", String(first.port));
    });
    await eventually("the cluster has formed", () =>
        primaries.every((one) => {
            const info = one.command("CLUSTER", "INFO");
            return info.includes("cluster_state:ok") && info.includes(`cluster_size:${size}`);
        }),
    );
    return {
        primaries,
        url: first.url,
        kill: async () => {
            await Promise.all(primaries.map((one) => one.kill()));
            await Promise.all(folders.map((folder) => rm(folder, { recursive: true })));
        },
    };
}
