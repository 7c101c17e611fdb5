import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { pino } from "pino";

import { redisClient, type RedisCommands } from "../../src/redis/client.ts";
import { ownEpochs, sharedEpochs } from "../../src/key/epochs.ts";
import { keyMakers } from "../../src/key/key.ts";
import { eventually } from "../support/eventually.ts";
import { startRedis, type RedisServer } from "../support/redisServer.ts";

const log = pino({ level: "silent" });
let redis: RedisServer;
let commands: RedisCommands;

beforeAll(async () => {
    redis = await startRedis();
    commands = redisClient(redis.config, log);
    await eventually("Redis is connected", () => commands.connected());
});

afterAll(async () => {
    await commands.close();
    await redis.kill();
});

describe("an epoch", () => {
    test("incremented in one pod applies in the others, for its tenant only", async () => {
        const [one, other] = [sharedEpochs(commands, log), sharedEpochs(commands, log)];
        await Promise.all([one.start(), other.start()]);
        const before = [other.of("a"), other.of("b")];
        await one.raise("a");
        expect(one.of("a")).not.toBe(before[0]);
        await eventually("the other pod knows", () => other.of("a") === one.of("a"));
        expect(other.of("b")).toBe(before[1]);
        await other.raise(undefined);
        expect(other.of("b")).not.toBe(before[1]);
        one.stop();
        other.stop();
    });

    test("stays in force when Redis loses it, and while it is unavailable", async () => {
        const epochs = sharedEpochs(commands, log);
        await epochs.raise("kept");
        const raised = epochs.of("kept");
        redis.command("FLUSHALL");
        await epochs.start();
        expect(epochs.of("kept")).toBe(raised);
        const late = sharedEpochs(commands, log);
        await late.start();
        expect(late.of("kept")).toBe(raised);
        late.stop();
        epochs.stop();
        const away = sharedEpochs(
            { ...commands, hash: () => Promise.reject(new Error("away")) },
            log,
        );
        await away.start();
        expect(away.of("kept")).toBe("0.0");
        away.stop();
    });

    test("of a pod without Redis is local", async () => {
        const epochs = ownEpochs();
        const before = epochs.of("a");
        await epochs.raise("a");
        expect(epochs.of("a")).not.toBe(before);
        expect(epochs.of("b")).toBe(before);
        await epochs.raise(undefined);
        expect(epochs.of("b")).not.toBe(before);
    });

    test("changes every key; until then the key function is the same", async () => {
        const epochs = ownEpochs();
        const space = { provider: "p", model: "m", revision: "r", inputType: "none" };
        const keysOf = keyMakers(space, epochs.of);
        const keyOf = keysOf("a");
        expect(keysOf("a")).toBe(keyOf);
        const input = { kind: "text", text: "x" } as const;
        const before = keyOf(input, undefined);
        await epochs.raise("a");
        expect(keysOf("a")(input, undefined)).not.toBe(before);
    });
});
