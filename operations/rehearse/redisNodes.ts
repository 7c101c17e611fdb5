import { PORTS, REDIS_NAME } from "@property-search/contract";
import { Redis } from "ioredis";
import { readAdminPassword } from "../backup/command.ts";
import type { Cluster } from "../cluster/connect.ts";
import { forwardPort } from "../cluster/forward.ts";
import { REDIS_SET } from "./workloads.ts";

/** A node of a Redis Cluster, as another node sees it. */
export interface RedisNode {
    readonly id: string;
    /** Its pod, whose name it announces; undefined: it announces none. */
    readonly pod: string | undefined;
    readonly isPrimary: boolean;
    /** ID of the primary of a replica. */
    readonly primary: string | undefined;
    /** Whether it has slots. */
    readonly isServing: boolean;
    /** Whether the other node is connected to it, and does not take it for failed. */
    readonly isHealthy: boolean;
}

/** @param text answer of CLUSTER NODES */
export function parseNodes(text: string): RedisNode[] {
    return text
        .split("\n")
        .filter((line) => line.trim() !== "")
        .map((line) => {
            // id address flags primary ping pong epoch link slots…
            const [id = "", address, flags = "", primary, , , , link, ...slots] = line
                .trim()
                .split(" ");
            const states = flags.split(",");
            return {
                id,
                pod: new RegExp(`${REDIS_NAME}-\\d+`).exec(address ?? "")?.[0],
                isPrimary: states.includes("master"),
                primary: primary === "-" ? undefined : primary,
                isServing: slots.length > 0,
                isHealthy: link === "connected" && !/fail|handshake|noaddr/.test(states.join(" ")),
            };
        });
}

/** Primaries with slots. */
export function servingPrimaries(nodes: readonly RedisNode[]): RedisNode[] {
    return nodes.filter(({ isPrimary, isServing }) => isPrimary && isServing);
}

/** Whether all nodes are healthy, and each of three primaries has a replica. */
export function isComplete(nodes: readonly RedisNode[]): boolean {
    const primaries = servingPrimaries(nodes);
    return (
        nodes.every(({ isHealthy }) => isHealthy) &&
        primaries.length === 3 &&
        primaries.every(({ id }) => nodes.some(({ primary }) => primary === id))
    );
}

/** Connects to one node through its pod. */
export async function openNode(
    cluster: Cluster,
    pod: string,
): Promise<{ readonly nodes: () => Promise<RedisNode[]>; readonly close: () => Promise<void> }> {
    const password = await readAdminPassword(cluster);
    const { namespace } = REDIS_SET;
    const forward = await forwardPort(cluster, { namespace, pod, port: PORTS.redis });
    const redis = new Redis({
        host: "127.0.0.1",
        port: Number(new URL(forward.url).port),
        username: "admin",
        password,
        commandTimeout: 5_000,
    });
    // A command that fails reports it.
    redis.on("error", () => undefined);
    return {
        nodes: async () => parseNodes(String(await redis.cluster("NODES"))),
        close: async () => {
            redis.disconnect();
            await forward.close();
        },
    };
}
