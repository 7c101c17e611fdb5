import { spawnSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { RedisConfig } from "../../src/redis/config.ts";
import { eventually } from "./eventually.ts";
import { startRedis, type RedisServer } from "./redisServer.ts";

export interface RedisCluster {
    readonly primaries: readonly RedisServer[];
    readonly replicas: readonly RedisServer[];
    readonly urls: readonly [URL, ...URL[]];
    readonly config: RedisConfig;
    readonly stop: () => Promise<void>;
}

const PRIMARIES = 3;

/** A Redis Cluster of three primaries, optionally with replicas, that fails over within seconds. */
export async function startCluster({ replicas = false } = {}): Promise<RedisCluster> {
    const folder = await mkdtemp(join(tmpdir(), "redis-cluster-"));
    const count = replicas ? 2 * PRIMARIES : PRIMARIES;
    // Without replicas, a node that is slow on a busy machine must not be marked as failed.
    const nodeTimeout = replicas ? 3_000 : 30_000;
    const nodes = await Promise.all(
        Array.from({ length: count }, (_, n) =>
            startRedis(undefined, [
                ...["--cluster-enabled", "yes", "--cluster-config-file", `${n}.conf`],
                ...["--dir", folder, "--dbfilename", `${n}.rdb`],
                ...[
                    "--cluster-node-timeout",
                    `${nodeTimeout}`,
                    "--cluster-replica-validity-factor",
                    "0",
                ],
                ...["--cluster-require-full-coverage", "no", "--repl-diskless-sync-delay", "0"],
            ]),
        ),
    );
    const stop = async (): Promise<void> => {
        await Promise.all(nodes.map((node) => node.kill()));
        await rm(folder, { recursive: true });
    };
    try {
        await form(nodes, replicas);
    } catch (error) {
        await stop();
        throw error;
    }
    const isPrimary = (node: RedisServer) => node.command("ROLE").startsWith("master");
    const [first, ...others] = nodes.map(({ url }) => byOtherName(url));
    if (!first) throw new Error("a cluster has nodes");
    const urls = [first, ...others] as const;
    return {
        primaries: nodes.filter(isPrimary),
        replicas: nodes.filter((node) => !isPrimary(node)),
        urls,
        config: { urls, mode: "cluster" },
        stop,
    };
}

/** Clients use the name of a Service, which none of the nodes has. */
function byOtherName(url: URL): URL {
    const other = new URL(url);
    other.hostname = "localhost";
    return other;
}

async function form(nodes: readonly RedisServer[], replicas: boolean): Promise<void> {
    const addresses = nodes.map(({ port }) => `127.0.0.1:${port}`);
    const create = ["--cluster", "create", ...addresses, "--cluster-yes"];
    spawnSync("redis-cli", [...create, ...(replicas ? ["--cluster-replicas", "1"] : [])]);
    await eventually("every node knows the cluster and its replicas", () =>
        nodes.every(
            (node) =>
                node.command("CLUSTER", "INFO").includes("cluster_state:ok") &&
                node.command("CLUSTER", "NODES").trim().split("\n").length === nodes.length &&
                (node.command("ROLE").startsWith("master") ||
                    node.command("ROLE").includes("connected")),
        ),
    );
}
