import { expect, test } from "@jest/globals";
import { pino } from "pino";

import { setUp } from "../../../tests/support/setUp.ts";
import { createRedisClient } from "../../src/redis/client.ts";
import { createUsage } from "../../src/tenants/usage.ts";
import { createRedisUsageStore } from "../../src/tenants/usageStore.ts";
import { eventually } from "../support/eventually.ts";
import { setUpRedis } from "../support/setUp.ts";

const log = pino({ level: "silent" });
const redis = setUpRedis();
const commands = setUp(
    () => createRedisClient(redis.config, log),
    ({ close }) => close(),
);

test("one tenant's key of another type does not end the syncs of the others", async () => {
    await eventually("Redis is connected", () => commands.isConnected());
    const limits = { tokensPerMonth: 100 };
    const [one, other] = [1, 2].map(() => createUsage(createRedisUsageStore(commands.client), log));
    if (!one || !other) throw new Error("There are two pods");
    for (const pod of [one, other]) for (const id of ["broken", "whole"]) pod.get(id, limits);
    one.addTokens("broken", 1);
    other.addTokens("whole", 7);
    await Promise.all([other.sync("whole"), one.sync("broken")]);
    const [key = ""] = redis.command("KEYS", "*usage:broken:*").split("\n");
    redis.command("DEL", key);
    redis.command("SET", key, "no hash");
    await one.sync("broken");
    await one.sync("whole");
    expect(one.get("whole", limits).tokensThisMonth).toBe(7);
});
