import { CACHE_KEY_PREFIX } from "@property-search/contract";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { pino } from "pino";
import { createRedisGhostRegistry } from "../../app/src/ghosts/registry.ts";
import { createRedisClient } from "../../app/src/redis/client.ts";
import { eventually } from "../../app/test/support/eventually.ts";
import { freePort } from "../../app/test/support/redisServer.ts";
import { PASSWORDS, redisCli, RedisNodes } from "../support/redisNodes.ts";

describe("users of a real Redis", () => {
    const nodes = new RedisNodes({ clustered: false });
    const host = "127.0.0.1";
    let port: number;

    beforeAll(async () => {
        port = await freePort();
        await nodes.start(0, host, port);
    });
    afterAll(() => nodes.dispose());

    const as = (user: keyof typeof PASSWORDS, ...command: string[]) =>
        redisCli({ host, port }, user, PASSWORDS[user], ...command);
    const refused = /NOPERM/;

    test("the service reads and writes its own keys, one or many at a time, with an end", async () => {
        const key = `${CACHE_KEY_PREFIX}a`;
        await as("app", "set", key, "1", "px", "60000");
        expect(await as("app", "mget", key, `${CACHE_KEY_PREFIX}b`)).toBe("1");
        expect(Number(await as("app", "pttl", key))).toBeGreaterThan(0);
        expect(await as("app", "hincrby", `${CACHE_KEY_PREFIX}epochs`, "*", "1")).toBe("1");
        const script = "return redis.call('pexpire', KEYS[1], ARGV[1])";
        expect(await as("app", "eval", script, "1", key, "1000")).toBe("1");
        await expect(as("app", "eval", script, "1", "elsewhere", "1000")).rejects.toThrow(refused);
        expect(await as("app", "info", "server")).toContain("redis_version");
    });

    test("the service keeps the history of sampled keys", async () => {
        const url = new URL(`redis://app:${PASSWORDS.app}@${host}:${port}`);
        const redis = createRedisClient(
            { urls: [url], mode: "standalone" },
            pino({ level: "silent" }),
        );
        try {
            await eventually("Redis is connected", () => redis.isConnected());
            const registry = createRedisGhostRegistry(redis.client);
            await registry.establish(1_000, true);
            const event = { id: "a", requestedAt: 1_001, storedAt: 0, freshUntil: 0 };
            const recorded = await registry.record([event]);
            expect(recorded?.state).toEqual({
                ...{ since: 1_000, isComplete: true },
                ...{ lostAt: 0, level: 0 },
            });
            await registry.tidy(2_000);
            expect((await registry.record([event]))?.histories[0]?.lastRequestAt).toBe(1_001);
        } finally {
            await redis.close();
        }
    });

    test.each([
        ["keys of others", ["get", "other:a"]],
        ["writing keys of others", ["set", "other:a", "1"]],
        ["emptying the cache", ["flushall"]],
        ["listing all keys", ["keys", "*"]],
        ["the configuration", ["config", "get", "masterauth"]],
        ["the users", ["acl", "list"]],
        ["keeping scripts", ["script", "load", "return 1"]],
        ["other clients", ["client", "kill", "127.0.0.1:1"]],
        ["replication", ["replicaof", "no", "one"]],
        ["ending the server", ["shutdown"]],
    ])("the service may not run %s", async (_, command) => {
        await expect(as("app", ...command)).rejects.toThrow(refused);
    });

    test("the exporter gets figures, and neither values nor the configuration", async () => {
        expect(await as("exporter", "info")).toContain("used_memory");
        expect(await as("exporter", "slowlog", "get")).toBe("");
        await expect(as("exporter", "get", `${CACHE_KEY_PREFIX}a`)).rejects.toThrow(refused);
        await expect(as("exporter", "config", "get", "*")).rejects.toThrow(refused);
    });

    test("a probe learns that Redis answers, without a password, and nothing else", async () => {
        const probe = (...command: string[]) =>
            redisCli({ host, port }, "health", "none", ...command);
        expect(await probe("ping")).toBe("PONG");
        await expect(probe("info")).rejects.toThrow(refused);
    });

    test("no client connects without a user or with a wrong password", async () => {
        await expect(redisCli({ host, port }, "default", "", "ping")).rejects.toThrow(
            /NOAUTH|WRONGPASS/,
        );
        await expect(redisCli({ host, port }, "app", "wrong", "ping")).rejects.toThrow(/WRONGPASS/);
    });

    test("memory is bounded and the least used goes first", async () => {
        const info = await as("admin", "info", "memory");
        expect(info).toContain("maxmemory_policy:allkeys-lfu");
        expect(info).toContain(`maxmemory:${96 * 1024 ** 2}`);
    });

    test("the file of users contains no password", async () => {
        const list = await as("admin", "acl", "list");
        for (const password of Object.values(PASSWORDS)) expect(list).not.toContain(password);
    });
});
