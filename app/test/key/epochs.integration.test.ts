import { beforeAll, describe, expect, test } from "@jest/globals";
import { pino } from "pino";

import { setUp } from "../../../tests/support/setUp.ts";
import { createRedisClient } from "../../src/redis/client.ts";
import { createInMemoryEpochs, createSharedEpochs } from "../../src/key/epochs.ts";
import { createKeysOf } from "../../src/key/key.ts";
import { eventually } from "../support/eventually.ts";
import { setUpRedis } from "../support/setUp.ts";

const log = pino({ level: "silent" });

const redis = setUpRedis();

const commands = setUp(
    () => createRedisClient(redis.config, log),
    (one) => one.close(),
);

beforeAll(() => eventually("Redis is connected", () => commands.isConnected()));

describe("an epoch", () => {
    test("incremented in one pod applies in the others, for its tenant only", async () => {
        const [one, other] = [createSharedEpochs(commands, log), createSharedEpochs(commands, log)];
        await Promise.all([one.start(), other.start()]);
        const before = [other.get("a"), other.get("b")];
        await one.increment("a");
        expect(one.get("a")).not.toBe(before[0]);
        await eventually("the other pod knows", () => other.get("a") === one.get("a"));
        expect(other.get("b")).toBe(before[1]);
        await other.increment(undefined);
        expect(other.get("b")).not.toBe(before[1]);
        one.stop();
        other.stop();
    });

    test("stays in force when Redis loses it, and while it is unavailable", async () => {
        const epochs = createSharedEpochs(commands, log);
        await epochs.increment("kept");
        const raised = epochs.get("kept");
        redis.command("FLUSHALL");
        await epochs.start();
        expect(epochs.get("kept")).toBe(raised);
        const late = createSharedEpochs(commands, log);
        await late.start();
        expect(late.get("kept")).toBe(raised);
        late.stop();
        epochs.stop();
        const away = createSharedEpochs(
            { ...commands, readHash: () => Promise.reject(new Error("away")) },
            log,
        );
        await away.start();
        expect(away.get("kept")).toBe("0.0");
        away.stop();
    });

    test("of a pod without Redis is local", async () => {
        const epochs = createInMemoryEpochs();
        const before = epochs.get("a");
        await epochs.increment("a");
        expect(epochs.get("a")).not.toBe(before);
        expect(epochs.get("b")).toBe(before);
        await epochs.increment(undefined);
        expect(epochs.get("b")).not.toBe(before);
    });

    test("changes every key; until then the key function is the same", async () => {
        const epochs = createInMemoryEpochs();
        const space = { provider: "p", model: "m", revision: "r", inputType: "none" };
        const keysOf = createKeysOf(space, epochs.get);
        const keyOf = keysOf("a");
        expect(keysOf("a")).toBe(keyOf);
        const input = { kind: "text", text: "x" } as const;
        const before = keyOf(input, undefined);
        await epochs.increment("a");
        expect(keysOf("a")(input, undefined)).not.toBe(before);
    });
});
