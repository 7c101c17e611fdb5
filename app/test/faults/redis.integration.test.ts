import { describe, expect, test } from "@jest/globals";
import { METRICS } from "@property-search/contract";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { eventually } from "../support/eventually.ts";
import { startProxy, type Proxy } from "../support/proxy.ts";
import { entriesIn, startRedis, type RedisServer } from "../support/redisServer.ts";
import type { Service } from "../support/service.ts";
import { setUpStage } from "../support/setUp.ts";
import { allAre, stateOf, unharmed } from "../support/stage.ts";
import type { Traffic } from "../support/traffic.ts";

const stage = setUpStage();

async function redisOn(port?: number, settings?: readonly string[]): Promise<RedisServer> {
    const redis = await startRedis(port, settings);
    stage.ends(redis.kill);
    return redis;
}

const LIST_INSTEAD =
    "redis.call('del', KEYS[1]) return redis.call('rpush', KEYS[1], 'not a string')";

interface Scene {
    readonly redis: RedisServer;
    readonly network: Proxy;
    readonly pods: readonly Service[];
    readonly clients: Traffic;
}

/** Two pods under traffic served from Redis, which they reach through a test proxy. */
async function scene(settings?: readonly string[]): Promise<Scene> {
    const redis = await redisOn(undefined, settings);
    const network = await startProxy(redis.port);
    stage.ends(network.stop);
    const environment = { REDIS_URL: network.url.href };
    const pods = [await stage.pod(environment), await stage.pod(environment)];
    const clients = stage.clients(...pods);
    await clients.more("HIT-L2", 50);
    return { redis, network, pods, clients };
}

/** Failed reads from Redis, over all pods; while it is down, only probes read. */
async function failedReads(pods: readonly Service[]): Promise<number> {
    const series = `${METRICS.redisErrors}{operation="read"}`;
    const counts = await Promise.all(pods.map((pod) => pod.metric(series)));
    return counts.reduce((sum, count) => sum + count, 0);
}

describe("a Redis that", () => {
    test("is killed and comes back: requests are served, then hits", async () => {
        const { redis, pods, clients } = await scene();
        await redis.kill();
        await allAre(pods, "down");
        await clients.more("answers", 100);
        await redisOn(redis.port);
        await allAre(pods, "up");
        await clients.more("HIT-L2", 50);
        await unharmed(clients);
    });

    test("hangs and comes back: soon no request waits for it, then hits", async () => {
        const { redis, pods, clients } = await scene();
        redis.pause();
        await allAre(pods, "down");
        const before = await failedReads(pods);
        await clients.more("answers", 200);
        // No request tests it, or waits for a probe: see `breaker`.
        expect((await failedReads(pods)) - before).toBeLessThan(100);
        redis.resume();
        await allAre(pods, "up");
        await clients.more("HIT-L2", 50);
        await unharmed(clients);
    });

    test("is slower than allowed: is not used until it is fast again", async () => {
        const { network, pods, clients } = await scene();
        network.delayMilliseconds = 150;
        await allAre(pods, "down");
        await clients.more("answers", 100);
        network.delayMilliseconds = 0;
        await allAre(pods, "up");
        await clients.more("HIT-L2", 50);
        await unharmed(clients);
    });

    test("is slow, but fast enough: is used", async () => {
        const { network, pods, clients } = await scene();
        network.delayMilliseconds = 20;
        await clients.more("HIT-L2", 100);
        expect(await Promise.all(pods.map(stateOf))).toEqual(["up", "up"]);
        await unharmed(clients);
    });

    test("is flushed: its entries are created again", async () => {
        const { redis, clients } = await scene();
        for (let n = 0; n < 5; n += 1) {
            redis.command("FLUSHALL");
            await clients.more("HIT-L2", 20);
        }
        await unharmed(clients);
    });

    test("became a replica: its entries are read, and nothing is written until it is a primary", async () => {
        const { redis, pods, clients } = await scene();
        const other = await redisOn();
        // A replica that never reaches its primary keeps what it has.
        redis.command("CONFIG", "SET", "replica-serve-stale-data", "yes");
        const size = entriesIn(redis).length;
        other.pause();
        redis.command("REPLICAOF", "127.0.0.1", String(other.port));
        await clients.more("HIT-L2", 50);
        await clients.more("MISS", 20);
        expect(entriesIn(redis)).toHaveLength(size);
        redis.command("REPLICAOF", "NO", "ONE");
        await eventually("entries are stored", () => entriesIn(redis).length > size);
        expect(await Promise.all(pods.map(stateOf))).toEqual(["up", "up"]);
        await unharmed(clients);
    });

    test("has no replica to write to: its entries are read, and no connection is lost", async () => {
        const { redis, clients } = await scene();
        redis.command("CONFIG", "SET", "min-replicas-to-write", "1");
        const size = entriesIn(redis).length;
        const connected = connections(redis);
        await clients.more("HIT-L2", 50);
        await clients.more("MISS", 20);
        expect(entriesIn(redis)).toHaveLength(size);
        // Those of redis-cli.
        expect(connections(redis) - connected).toBe(2);
        await unharmed(clients);
    });

    async function servesWithoutWrites(
        { redis, pods, clients }: Scene,
        allowWrites: () => unknown,
    ): Promise<void> {
        const size = entriesIn(redis).length;
        await clients.more("HIT-L2", 50);
        await clients.more("MISS", 20);
        expect(entriesIn(redis)).toHaveLength(size);
        expect(await Promise.all(pods.map(stateOf))).toEqual(["up", "up"]);
        allowWrites();
        await eventually("entries are stored", () => entriesIn(redis).length > size);
        await unharmed(clients);
    }

    test("is full and evicts nothing: its entries are read, and new ones are dropped", async () => {
        const full = await scene(["--maxmemory-policy", "noeviction"]);
        const limit = (bytes: string) => full.redis.command("CONFIG", "SET", "maxmemory", bytes);
        limit("1");
        await servesWithoutWrites(full, () => limit("0"));
    });

    test("cannot save a snapshot: its entries are read, and new ones are dropped", async () => {
        const folder = await mkdtemp(join(tmpdir(), "redis-"));
        stage.ends(() => rm(folder, { recursive: true }));
        const unsaved = await scene(["--dir", folder]);
        await mkdir(join(folder, "dump.rdb"));
        const set = (name: string, value: string) =>
            unsaved.redis.command("CONFIG", "SET", name, value);
        set("save", "3600 1");
        unsaved.redis.command("BGSAVE");
        await eventually("it rejects writes", () =>
            unsaved.redis.command("SET", "any", "1").includes("MISCONF"),
        );
        await servesWithoutWrites(unsaved, () => set("stop-writes-on-bgsave-error", "no"));
    });

    test("has no connection left at the start: is used once it has", async () => {
        const redis = await redisOn(undefined, ["--maxclients", "4"]);
        const others = Array.from({ length: 4 }, () => connect(redis.port, "127.0.0.1"));
        await Promise.all(others.map((socket) => once(socket, "connect")));
        const pod = await stage.pod({ REDIS_URL: redis.url.href });
        const clients = stage.clients(pod);
        await clients.more("answers", 50);
        await allAre([pod], "down");
        for (const socket of others) socket.destroy();
        await allAre([pod], "up");
        await unharmed(clients);
    });

    test("resets connections within replies: the rest of a reply is never taken for another", async () => {
        const { network, clients } = await scene();
        for (const bytes of [1, 7, 60, 150, 333, 1_000]) {
            network.resetAfter(bytes);
            await clients.more("HIT-L2", 20);
        }
        await unharmed(clients);
    });

    test("is gone silently, and another one takes over its address: is found within seconds", async () => {
        const { network, pods, clients } = await scene();
        network.swallow();
        await allAre(pods, "down");
        await allAre(pods, "up");
        await clients.more("HIT-L2", 50);
        await unharmed(clients);
    });

    test("holds entries of other versions and other data: they are misses, and replaced", async () => {
        const { redis, clients } = await scene();
        const keys = entriesIn(redis);
        expect(keys.length).toBeGreaterThan(20);
        for (const [n, key] of keys.entries()) {
            if (n % 4 === 0) redis.command("SETRANGE", key, "0", "\u0003");
            else if (n % 4 === 1) redis.command("SET", key, "");
            else if (n % 4 === 2) redis.command("EVAL", LIST_INSTEAD, "1", key);
            else redis.command("SETRANGE", key, "60", "damage");
        }
        await clients.more("HIT-L2", 100);
        await unharmed(clients);
    });
});

describe("a Redis that wants a password", () => {
    test("other than ours: is not used, and the responses are correct", async () => {
        const redis = await redisOn(undefined, ["--requirepass", "right"]);
        const pod = await stage.pod({ REDIS_URL: redis.url.href, REDIS_PASSWORD: "wrong" });
        const clients = stage.clients(pod);
        await clients.more("answers", 100);
        expect(await stateOf(pod)).toBe("down");
        await unharmed(clients);
        // Correcting it in Redis requires no restart of the pods.
        redis.command("-a", "right", "CONFIG", "SET", "requirepass", "wrong");
        await allAre([pod], "up");
    });

    test("and denies access to the cache's keys: is down, although it answers PING", async () => {
        const redis = await redisOn();
        redis.command("ACL", "SETUSER", "app", "on", ">word", "+@all", "~other:*");
        const login = { REDIS_USERNAME: "app", REDIS_PASSWORD: "word" };
        const pod = await stage.pod({ REDIS_URL: redis.url.href, ...login });
        const clients = stage.clients(pod);
        await allAre([pod], "down");
        await clients.more("answers", 100);
        await unharmed(clients);
        redis.command("ACL", "SETUSER", "app", "allkeys");
        await allAre([pod], "up");
    });
});

describe("a password that changes", () => {
    test("is read from its file at each connection, and no request fails", async () => {
        const folder = await mkdtemp(join(tmpdir(), "redis-login-"));
        stage.ends(() => rm(folder, { recursive: true }));
        const write = (password: string) => writeFile(join(folder, "password"), `${password}\n`);
        await writeFile(join(folder, "username"), "app");
        await write("first");
        const redis = await redisOn();
        const accept = (...passwords: string[]) => {
            const words = passwords.map((password) => `>${password}`);
            redis.command("ACL", "SETUSER", "app", "on", "resetpass", ...words, "+@all", "allkeys");
        };
        accept("first");
        const url = { REDIS_URL: redis.url.href };
        const pod = await stage.pod({ ...url, REDIS_CREDENTIALS_DIR: folder });
        await allAre([pod], "up");
        const clients = stage.clients(pod);
        await clients.more("HIT-L2", 20);

        accept("first", "second");
        await write("second");
        accept("second");
        redis.command("CLIENT", "KILL", "USER", "app");
        await eventually("it is connected anew", () =>
            redis.command("CLIENT", "LIST").includes("user=app"),
        );
        await allAre([pod], "up");
        await clients.more("HIT-L2", 20);
        await unharmed(clients);
    });
});

function connections(redis: RedisServer): number {
    const [, count] = /total_connections_received:(\d+)/.exec(redis.command("INFO", "stats")) ?? [];
    return Number(count);
}
