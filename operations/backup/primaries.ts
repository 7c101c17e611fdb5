import calculateSlot from "cluster-key-slot";
import { Redis } from "ioredis";
import { ClusterError } from "../cluster/connect.ts";

export interface NodeAddress {
    readonly host: string;
    readonly port: number;
}

export interface Primary {
    readonly client: Redis;
    readonly owns: (key: Buffer) => boolean;
    /** A standalone server owns all slots. */
    readonly slots: number;
}

/** The primaries of a Redis. */
export interface Primaries {
    readonly all: readonly Primary[];
    /** @throws ClusterError for a key whose slot has no primary */
    readonly primaryFor: (key: Buffer) => Primary;
    readonly version: string;
    readonly close: () => void;
}

const SLOTS = 16_384;
const CONNECT_TIMEOUT_MILLISECONDS = 10_000;
/** Timeout of a command: a batch of large entries through a port-forward is slow. */
const COMMAND_TIMEOUT_MILLISECONDS = 60_000;

/** Connects to every node of a standalone or clustered Redis as the user `admin`. */
export async function connectPrimaries(
    nodes: readonly NodeAddress[],
    password: string,
): Promise<Primaries> {
    const clients = nodes.map(
        (node) =>
            new Redis({
                ...node,
                username: "admin",
                password,
                lazyConnect: true,
                retryStrategy: null,
                connectTimeout: CONNECT_TIMEOUT_MILLISECONDS,
                commandTimeout: COMMAND_TIMEOUT_MILLISECONDS,
            }),
    );
    const close = () => {
        for (const client of clients) client.disconnect();
    };
    try {
        await Promise.all(clients.map((client) => client.connect()));
        const all = (await Promise.all(clients.map(readPrimary))).filter(
            (one) => one !== undefined,
        );
        const slots = all.reduce((sum, primary) => sum + primary.slots, 0);
        if (slots !== SLOTS) {
            throw new ClusterError(
                `the primaries of Redis have ${slots} of ${SLOTS} slots; allowed: all (docs/runbooks/RedisClusterFailed.md)`,
            );
        }
        const info = await clients[0]?.info("server");
        return {
            all,
            primaryFor: (key) => {
                const owner = all.find((primary) => primary.owns(key));
                if (owner) return owner;
                throw new ClusterError(`slot ${calculateSlot(key)} of Redis has no primary`);
            },
            version: /redis_version:(\S+)/.exec(info ?? "")?.[1] ?? "unknown",
            close,
        };
    } catch (error) {
        close();
        throw error;
    }
}

/** @returns undefined for a replica or a node without slots */
async function readPrimary(client: Redis): Promise<Primary | undefined> {
    const info = await client.info();
    if (!info.includes("role:master")) return undefined;
    if (!info.includes("cluster_enabled:1")) return { client, owns: () => true, slots: SLOTS };
    const lines = String(await client.cluster("NODES")).split("\n");
    const [, , , , , , , , ...ranges] =
        lines.find((line) => line.includes("myself"))?.split(" ") ?? [];
    const owned = new Uint8Array(SLOTS);
    // A range in brackets is a migrating slot, which belongs to another range until it has moved.
    for (const range of ranges.filter((one) => !one.startsWith("["))) {
        const [first = 0, last = first] = range.split("-").map(Number);
        owned.fill(1, first, last + 1);
    }
    const slots = owned.reduce((sum, one) => sum + one, 0);
    if (slots === 0) return undefined;
    return { client, owns: (key) => owned[calculateSlot(key)] === 1, slots };
}
