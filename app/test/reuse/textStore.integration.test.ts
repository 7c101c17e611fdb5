import { expect, test } from "@jest/globals";
import { Redis } from "ioredis";

import { setUp } from "../../../tests/support/setUp.ts";
import { setClockOffset, wallClock } from "../../src/clock.ts";
import { createRedisTextStore } from "../../src/reuse/records/textStore.ts";
import { setUpRedis } from "../support/setUp.ts";

const NAMESPACE = "space-384";
const MAX_TEXTS = 10;
const LIFETIME_MILLISECONDS = 60_000;
/** Appends until texts beyond the bounds are removed. */
const TRIM_EVERY = 64;

const redis = setUpRedis();

const client = setUp(
    () => new Redis(redis.port),
    (one) => one.disconnect(),
);

test("texts are kept within number and lifetime, in order, and are removed with their namespace", async () => {
    let now = 1_000_000;
    const store = createRedisTextStore(client, {
        maxTexts: MAX_TEXTS,
        lifetimeMilliseconds: () => LIFETIME_MILLISECONDS,
        build: "v1",
        now: () => now,
    });
    const append = async (key: string): Promise<void> => {
        now += 1;
        await store.append(NAMESPACE, [{ key, sealed: Uint8Array.of(1, 0, 255, key.length) }]);
    };
    const keysSince = async (time: number, count = 1_000): Promise<readonly string[]> =>
        (await store.readSince(NAMESPACE, time, count)).map(({ key }) => key);
    for (let at = 0; at < TRIM_EVERY; at += 1) await append(`key${at}`);
    const newest = Array.from(
        { length: MAX_TEXTS },
        (_, at) => `key${TRIM_EVERY - MAX_TEXTS + at}`,
    );
    expect(await keysSince(0)).toEqual(newest);
    expect(await keysSince(now)).toEqual(newest.slice(-1));
    expect(await keysSince(0, 3)).toEqual(newest.slice(0, 3));
    expect(await store.read(NAMESPACE, ["key0", "key63"])).toEqual([
        { key: "key63", sealed: Uint8Array.of(1, 0, 255, 5) },
    ]);
    await store.remove(NAMESPACE, ["key63"]);
    expect(await keysSince(now)).toEqual([]);
    // Redis itself removes the texts of a namespace that is no longer used.
    expect(redis.command("--scan").trim().split("\n")).toHaveLength(2);
    for (const key of redis.command("--scan").trim().split("\n")) {
        const left = Number(redis.command("PTTL", key));
        expect(left).toBeGreaterThan(LIFETIME_MILLISECONDS / 2);
        expect(left).toBeLessThanOrEqual(LIFETIME_MILLISECONDS);
    }
    now += LIFETIME_MILLISECONDS;
    for (let at = 0; at < TRIM_EVERY; at += 1) await append("again");
    expect(await keysSince(0)).toEqual(["again"]);
    await store.drop(NAMESPACE);
    expect(redis.command("--scan").trim()).toBe("");
});

test("times are those of the clock that pods share: others read on from the last one", async () => {
    const store = createRedisTextStore(client, {
        maxTexts: MAX_TEXTS,
        lifetimeMilliseconds: () => LIFETIME_MILLISECONDS,
        build: "v1",
    });
    setClockOffset(3_600_000);
    try {
        const before = wallClock();
        await store.append(NAMESPACE, [{ key: "key", sealed: Uint8Array.of(1) }]);
        expect(await store.readSince(NAMESPACE, before, 1)).toMatchObject([{ key: "key" }]);
    } finally {
        setClockOffset(0);
        await store.drop(NAMESPACE);
    }
});

test("each build has its own state, which ends and is removed with its namespace", async () => {
    const storeOf = (build: string) =>
        createRedisTextStore(client, {
            maxTexts: MAX_TEXTS,
            lifetimeMilliseconds: () => LIFETIME_MILLISECONDS,
            build,
        });
    const [store, other] = [storeOf("v1"), storeOf("v2")];
    const states = [Uint8Array.of(1, 0, 255), Uint8Array.of(2)] as const;
    await store.saveState(NAMESPACE, states[0]);
    await other.saveState(NAMESPACE, states[1]);
    expect([...((await store.readState(NAMESPACE)) ?? [])]).toEqual([...states[0]]);
    expect([...((await other.readState(NAMESPACE)) ?? [])]).toEqual([...states[1]]);
    for (const key of redis.command("--scan").trim().split("\n"))
        expect(Number(redis.command("PTTL", key))).toBeGreaterThan(LIFETIME_MILLISECONDS / 2);
    await store.removeState(NAMESPACE);
    expect(await store.readState(NAMESPACE)).toBeUndefined();
    await other.drop(NAMESPACE);
    expect(redis.command("--scan").trim()).toBe("");
});
