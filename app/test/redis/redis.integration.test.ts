import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";

import { describe, expect, jest, test } from "@jest/globals";
import { METRICS, PATHS } from "@property-search/contract";
import { pino } from "pino";

import { endAfterTest } from "../../../tests/support/setUp.ts";
import { createRedisClient } from "../../src/redis/client.ts";
import { eventually } from "../support/eventually.ts";
import { countEntries, freePort, startRedis, type RedisServer } from "../support/redisServer.ts";
import { startService, stubEnvironment, type Service } from "../support/service.ts";
import { setUpUpstream } from "../support/setUp.ts";
import { allAre } from "../support/stage.ts";

const upstream = setUpUpstream();

const endLater = endAfterTest();

async function redisOn(port?: number, settings?: readonly string[]): Promise<RedisServer> {
    const redis = await startRedis(port, settings);
    endLater(redis.kill);
    return redis;
}

async function serviceOn(redis: URL, mode = "standalone"): Promise<Service> {
    const environment = { ...stubEnvironment(upstream.url, redis), REDIS_MODE: mode };
    const service = await startService(environment);
    endLater(service.stop);
    return service;
}

const redisIs = (service: Service, state: "up" | "down") => allAre([service], state);

/** The client's view: the status of each text, and that the vector exists. */
async function cacheOf(service: Service, text: string): Promise<string> {
    const answer = await service.post(PATHS.embed, { text });
    expect(answer.status).toBe(200);
    return answer.headers.get("x-cache") ?? "";
}

describe("Redis", () => {
    test("without the database of its URL is down, and no other one is used", async () => {
        const redis = await redisOn();
        const service = await serviceOn(new URL(`${redis.url.href}/99`));
        for (let at = 0; at < 10; at += 1) expect(await cacheOf(service, `${at}`)).toBe("MISS");
        await redisIs(service, "down");
        expect(countEntries(redis)).toBe(0);
    });

    test("carries entries from one pod to another", async () => {
        const redis = await redisOn();
        const [one, other] = [await serviceOn(redis.url), await serviceOn(redis.url)];
        await redisIs(one, "up");
        await redisIs(other, "up");
        expect(await cacheOf(one, "carried")).toBe("MISS");
        await eventually("the entry is stored", () => countEntries(redis) === 1);
        expect(await cacheOf(other, "carried")).toBe("HIT-L2");
        expect(await one.metric(METRICS.redisUp)).toBe(1);
    });

    test("unavailable at the start: the service is ready, responds, and finds it later", async () => {
        const port = await freePort();
        const service = await serviceOn(new URL(`redis://127.0.0.1:${port}`));
        expect((await service.get(PATHS.ready)).status).toBe(200);
        expect(await cacheOf(service, "without redis")).toBe("MISS");
        expect(await cacheOf(service, "without redis")).toBe("HIT-L1");
        expect(await service.metric(METRICS.redisUp)).toBe(0);
        const redis = await redisOn(port);
        await redisIs(service, "up");
        await eventually("entries are stored again", async () => {
            await cacheOf(service, `after ${performance.now()}`);
            return countEntries(redis) > 0;
        });
    });

    test("killed: requests are served, and its return is noticed", async () => {
        const redis = await redisOn();
        const service = await serviceOn(redis.url);
        await redisIs(service, "up");
        await redis.kill();
        for (let n = 0; n < 20; n += 1) expect(await cacheOf(service, `killed ${n}`)).toBe("MISS");
        await redisIs(service, "down");
        expect((await service.get(PATHS.ready)).status).toBe(200);
        await redisOn(redis.port);
        await redisIs(service, "up");
    });

    test("paused: its breaker opens, requests stop waiting, and it closes again", async () => {
        const redis = await redisOn();
        const service = await serviceOn(redis.url);
        await redisIs(service, "up");
        redis.pause();
        for (let n = 0; n < 10; n += 1) expect(await cacheOf(service, `paused ${n}`)).toBe("MISS");
        await redisIs(service, "down");
        redis.resume();
        await eventually("the breaker has closed", async () => {
            await cacheOf(service, `resumed ${performance.now()}`);
            return (await service.metric(METRICS.redisUp)) === 1;
        });
    });

    test("read-only: hits continue, and requests that cannot be stored are served", async () => {
        const redis = await redisOn();
        const [one, other] = [await serviceOn(redis.url), await serviceOn(redis.url)];
        await redisIs(one, "up");
        await redisIs(other, "up");
        await cacheOf(one, "kept");
        await eventually("the entry is stored", () => countEntries(redis) === 1);
        redis.command("CONFIG", "SET", "min-replicas-to-write", "3");
        for (let n = 0; n < 10; n += 1) expect(await cacheOf(one, `unkept ${n}`)).toBe("MISS");
        expect(await cacheOf(other, "kept")).toBe("HIT-L2");
        expect(countEntries(redis)).toBe(1);
    });

    test("with users: the password has its own variable", async () => {
        const redis = await redisOn(undefined, ["--requirepass", "secret"]);
        const environment = {
            ...stubEnvironment(upstream.url, redis.url),
            REDIS_PASSWORD: "secret",
        };
        const service = await startService(environment);
        endLater(service.stop);
        await redisIs(service, "up");
    });

    test("in cluster mode: a batch over many slots is stored and found", async () => {
        const folder = await mkdtemp(join(tmpdir(), "redis-cluster-"));
        endLater(() => rm(folder, { recursive: true }));
        const redis = await redisOn(undefined, [
            "--cluster-enabled",
            "yes",
            "--cluster-announce-ip",
            "127.0.0.1",
            "--dir",
            folder,
        ]);
        redis.command("CLUSTER", "ADDSLOTSRANGE", "0", "16383");
        await eventually("the cluster has formed", () =>
            redis.command("CLUSTER", "INFO").includes("cluster_state:ok"),
        );
        const [one, other] = [
            await serviceOn(redis.url, "cluster"),
            await serviceOn(redis.url, "cluster"),
        ];
        await redisIs(one, "up");
        await redisIs(other, "up");
        const texts = Array.from({ length: 40 }, (_, n) => `slot ${n}`);
        await one.post(PATHS.embed, { texts });
        await eventually("the batch is stored", () => countEntries(redis) === 40);
        const answer = await other.post(PATHS.embed, { texts });
        expect(answer.headers.get("x-cache")).toBe("HIT-L2");
    });

    test.each([
        ["by one script each", ["+@all"], { evals: 2, denied: 0 }],
        [
            "one by one, for a minute, where scripts are denied",
            ["+@all", "-eval"],
            { evals: 0, denied: 1 },
        ],
    ])("writes and leases many keys %s", async (_, rights, { evals, denied }) => {
        const redis = await redisOn();
        redis.command("ACL", "SETUSER", "cache", "on", "nopass", "~*", ...rights);
        const config = { ...redis.config, username: "cache", password: "any" };
        const client = createRedisClient(config, pino({ level: "silent" }));
        endLater(client.close);
        await eventually("Redis is connected", () => Promise.resolve(client.isConnected()));

        const keys = Array.from({ length: 20 }, (_, at) => `key ${at}`);
        const valueOf = (key: string): Buffer => Buffer.from([...Buffer.from(key), 0, 0xff, 0x0d]);
        await client.write(keys.map((key) => ({ key, value: valueOf(key), milliseconds: 60_000 })));
        expect(await client.read(keys)).toEqual(keys.map(valueOf));
        expect(Number(redis.command("PTTL", "key 3"))).toBeGreaterThan(50_000);
        const leases = [...keys.slice(0, 2), "lease 1", "lease 2"];
        const granted = await client.acquireLeases(leases, "token", 60_000);
        expect(granted).toEqual([false, false, true, true]);
        expect(redis.command("GET", "lease 2").trim()).toBe("token");
        expect(Number(redis.command("PTTL", "lease 2"))).toBeGreaterThan(50_000);

        const counts = redis.command("INFO", "commandstats");
        const count = (field: string): number =>
            Number(new RegExp(`cmdstat_eval:(?:.*,)?${field}=(\\d+)`).exec(counts)?.[1] ?? 0);
        expect({ evals: count("calls"), denied: count("rejected_calls") }).toEqual({
            evals,
            denied,
        });
    });

    test("accepts many keys one by one where a script may only have keys of one node", async () => {
        const folder = await mkdtemp(join(tmpdir(), "redis-cluster-"));
        endLater(() => rm(folder, { recursive: true }));
        const redis = await redisOn(undefined, ["--cluster-enabled", "yes", "--dir", folder]);
        redis.command("CLUSTER", "ADDSLOTSRANGE", "0", "16383");
        await eventually("the cluster has formed", () =>
            redis.command("CLUSTER", "INFO").includes("cluster_state:ok"),
        );
        // Like a managed service whose proxy looks like one server.
        const client = createRedisClient(redis.config, pino({ level: "silent" }));
        endLater(client.close);
        await eventually("Redis is connected", () => Promise.resolve(client.isConnected()));
        const keys = Array.from({ length: 20 }, (_, at) => `key ${at}`);
        await client.write(
            keys.map((key) => ({ key, value: Buffer.from(key), milliseconds: 60_000 })),
        );
        expect(redis.command("DBSIZE").trim()).toBe("20");
        expect(await client.acquireLeases(keys, "token", 60_000)).not.toContain(true);
    });

    /** Longer than the timeout of a command, and than the silence that ends a connection. */
    test.each([300, 2_500])("is not blamed for a pause of this process of %i ms", async (pause) => {
        const redis = await redisOn();
        const warn = jest.fn();
        const client = createRedisClient(
            redis.config,
            Object.assign(pino({ level: "silent" }), { warn }),
        );
        endLater(client.close);
        await eventually("Redis is connected", () => Promise.resolve(client.isConnected()));

        // After this phase of the event loop timers run, and only then sockets are read.
        await nextTurn();
        const reads = Array.from({ length: 50 }, (_, at) => client.read([`text ${at}`]));
        // Like a long turn of the event loop, or a pod that its CPU limit stops.
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, pause);

        expect(await Promise.all(reads)).toHaveLength(50);
        expect(await client.read(["text"])).toEqual([null]);
        expect(warn).not.toHaveBeenCalled();
    });
});
