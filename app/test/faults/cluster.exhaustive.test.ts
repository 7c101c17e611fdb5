import { describe, expect, test } from "@jest/globals";
import { PATHS } from "@property-search/contract";
import { Redis } from "ioredis";
import { pino } from "pino";

import { createRedisClient } from "../../src/redis/client.ts";
import { eventually } from "../support/eventually.ts";
import { startCluster, type RedisCluster } from "../support/redisCluster.ts";
import { countEntries, type RedisServer } from "../support/redisServer.ts";
import { MODEL, type Service } from "../support/service.ts";
import { setUpStage } from "../support/setUp.ts";
import { allAre, unharmed } from "../support/stage.ts";

const stage = setUpStage();

async function clusterOf(options: { replicas?: boolean } = {}): Promise<RedisCluster> {
    const cluster = await startCluster(options);
    stage.ends(cluster.stop);
    return cluster;
}

async function podsOn({ urls }: RedisCluster): Promise<readonly Service[]> {
    const environment = { REDIS_MODE: "cluster", REDIS_URL: urls.join(",") };
    const pods = [await stage.pod(environment), await stage.pod(environment)];
    await allAre(pods, "up");
    return pods;
}

function firstOf(nodes: readonly RedisServer[]): RedisServer {
    const [first] = nodes;
    if (!first) throw new Error("a cluster has nodes");
    return first;
}

describe("in a Redis Cluster", () => {
    test("a primary that is killed affects its own keys only, until its replica has taken over", async () => {
        const cluster = await clusterOf({ replicas: true });
        const pods = await podsOn(cluster);
        const clients = stage.clients(...pods);
        await clients.more("HIT-L2", 100);
        await firstOf(cluster.primaries).kill();
        // The other two thirds of the keys are found before the failover.
        await clients.more("HIT-L2", 50);
        expect(cluster.replicas.some(isPrimary)).toBe(false);
        await eventually("a replica has taken over", () => cluster.replicas.some(isPrimary));
        const successor = firstOf(cluster.replicas.filter(isPrimary));
        const stored = successor.command("DBSIZE");
        await eventually("it is written to", () => successor.command("DBSIZE") !== stored);
        await allAre(pods, "up");
        await clients.more("HIT-L2", 100);
        await unharmed(clients);
    });

    test("a primary that hangs, too; the pods do not wait for it for long", async () => {
        const cluster = await clusterOf({ replicas: true });
        const pods = await podsOn(cluster);
        const clients = stage.clients(...pods);
        await clients.more("HIT-L2", 100);
        const primary = firstOf(cluster.primaries);
        primary.pause();
        await eventually("a replica has taken over", () => cluster.replicas.some(isPrimary));
        const successor = firstOf(cluster.replicas.filter(isPrimary));
        const stored = successor.command("DBSIZE");
        await eventually("it is written to", () => successor.command("DBSIZE") !== stored);
        await clients.more("HIT-L2", 100);
        primary.resume();
        await clients.more("HIT-L2", 100);
        await unharmed(clients);
    });

    test("slots that move, or have moved: every key is found, including whole batches", async () => {
        const cluster = await clusterOf();
        const [one, other] = await podsOn(cluster);
        if (!one || !other) throw new Error("two pods were asked for");
        const texts = Array.from({ length: 64 }, (_, n) => `moved ${n}`);
        const request = { model: MODEL, input: texts };
        await one.post(PATHS.embeddings, request);
        const [from, to] = cluster.primaries;
        if (!from || !to) throw new Error("a cluster has nodes");
        await eventually("all are stored", () => storedIn(cluster) === texts.length);
        const clients = stage.clients(one);
        await clients.more("HIT-L2", 20);
        const seen = async () =>
            (await other.post(PATHS.embeddings, request)).headers.get("x-cache");
        await moveSlots(from, to, async () => {
            expect(await seen()).toMatch(/^(HIT-L1, )?HIT-L2$/);
        });
        expect(await seen()).toMatch(/^(HIT-L1, )?HIT-L2$/);
        await clients.more("HIT-L2", 50);
        await unharmed(clients);
    });

    test("a batch is in the order of the keys, and keys of an unavailable node are misses", async () => {
        const cluster = await clusterOf();
        const commands = createRedisClient(cluster.config, pino({ level: "silent" }));
        stage.ends(commands.close);
        await eventually("the cluster is connected", () => commands.isConnected());
        const keys = Array.from({ length: 256 }, (_, n) => `key ${n}`);
        const write = () =>
            commands.write(
                keys.map((key) => ({ key, value: Buffer.from(key), milliseconds: 60_000 })),
            );
        await eventually("everything is written", () =>
            write().then(
                () => true,
                () => false,
            ),
        );
        const all = [...keys, "absent", ...keys.toReversed()];
        const expected = all.map((key) => (key === "absent" ? null : Buffer.from(key)));
        expect(await commands.read(all)).toEqual(expected);
        await firstOf(cluster.primaries).kill();
        const left = await commands.read(all);
        expect(left.filter((one) => one !== null).length).toBeGreaterThan(keys.length);
        left.forEach((one, index) => {
            if (one !== null) expect(one.toString()).toBe(all[index]);
        });
        // Pods that start now have an unavailable node as their first address.
        const clients = stage.clients(...(await podsOn(cluster)));
        await clients.more("HIT-L2", 20);
        await unharmed(clients);
    });
});

function isPrimary(node: RedisServer): boolean {
    return node.command("ROLE").startsWith("master");
}

function storedIn({ primaries }: RedisCluster): number {
    return primaries.reduce((sum, node) => sum + countEntries(node), 0);
}

/**
 * Moves all slots with keys from one node to another, like `redis-cli --cluster reshard`.
 *
 * @param midway called while each slot is open at both nodes, and again when its keys have moved
 */
async function moveSlots(
    from: RedisServer,
    to: RedisServer,
    midway: () => Promise<void>,
): Promise<void> {
    const [source, target] = [new Redis(from.port), new Redis(to.port)];
    try {
        const ids = [await source.cluster("MYID"), await target.cluster("MYID")] as const;
        const slots = new Set<number>();
        for (const key of await source.keys("*")) slots.add(await source.cluster("KEYSLOT", key));
        for (const slot of slots) {
            await target.cluster("SETSLOT", slot, "IMPORTING", ids[0]);
            await source.cluster("SETSLOT", slot, "MIGRATING", ids[1]);
        }
        await midway();
        for (const slot of slots) {
            const keys = await source.cluster("GETKEYSINSLOT", slot, 100);
            if (keys.length > 0) {
                await source.migrate("127.0.0.1", to.port, "", 0, 1000, "KEYS", ...keys);
            }
        }
        await midway();
        for (const slot of slots) {
            await target.cluster("SETSLOT", slot, "NODE", ids[1]);
            await source.cluster("SETSLOT", slot, "NODE", ids[1]);
            expect(await source.cluster("COUNTKEYSINSLOT", slot)).toBe(0);
        }
    } finally {
        source.disconnect();
        target.disconnect();
    }
}
