import { beforeEach, describe, expect, test } from "@jest/globals";
import { PATHS } from "@property-search/contract";
import { pino } from "pino";

import { endAfterTest } from "../../../tests/support/setUp.ts";
import { createPolledRecords } from "../../src/redis/polledRecords.ts";
import { withMissesUntilKnown } from "../../src/invalidations/tiers.ts";
import { noSharedCache, type SharedCache } from "../../src/cache/tiers.ts";
import { adminOf, ADMIN_TOKEN } from "../support/admin.ts";
import { eventually } from "../support/eventually.ts";
import { startProxy } from "../support/proxy.ts";
import { startService, stubEnvironment, type Service } from "../support/service.ts";
import { setUpUpstream, setUpRedis } from "../support/setUp.ts";
import { trueVector } from "../support/vectors.ts";

const log = pino({ level: "silent" });
const TEXT = "an entry that must not be served any more";

const redis = setUpRedis();

const upstream = setUpUpstream();
const endLater = endAfterTest();

beforeEach(() => void redis.command("FLUSHALL"));

async function podAt(url: URL): Promise<Service> {
    const pod = await startService({ ...stubEnvironment(upstream.url, url), ADMIN_TOKEN });
    endLater(pod.stop);
    return pod;
}

async function ask(pod: Service): Promise<string | null> {
    return (await pod.post(PATHS.embed, { text: TEXT })).headers.get("x-cache");
}

async function podBehind(delayMilliseconds: number): Promise<Service> {
    const proxy = await startProxy(redis.port);
    endLater(proxy.stop);
    proxy.delayMilliseconds = delayMilliseconds;
    return podAt(proxy.url);
}

async function storedEntry(pod: Service): Promise<string> {
    expect(await ask(pod)).toBe("MISS");
    const inspected = await adminOf(pod)("POST", "/entries/inspect", { input: TEXT });
    const { key } = inspected.json as { key: string };
    await eventually("it is stored", () => redis.command("EXISTS", `embedding:${key}`) === "1\n");
    return key;
}

describe.each([0, 30, 60])("A pod that starts %i ms away from Redis", (delay) => {
    test("serves no entry of an outdated epoch", async () => {
        const first = await podAt(redis.url);
        await storedEntry(first);
        await adminOf(first)("POST", "/epochs", { tenant: "*" });
        const late = await podBehind(delay);
        expect(await ask(late)).toBe("MISS");
        const { json } = await adminOf(late)("GET", "/epochs/anonymous");
        expect(json).toMatchObject({ epoch: "1.0" });
    });

    test("serves no entry that was flagged and is in Redis again", async () => {
        const first = await podAt(redis.url);
        const key = await storedEntry(first);
        redis.command("COPY", `embedding:${key}`, "backup");
        const flag = { reason: "wrong", actor: "ann" };
        expect((await adminOf(first)("POST", `/entries/${key}/flag`, flag)).status).toBe(200);
        redis.command("COPY", "backup", `embedding:${key}`);
        expect(await ask(await podBehind(delay))).toBe("MISS");
    });
});

test("A pod that cannot read the invalidations uses no entry of Redis, and reports it", async () => {
    const first = await podAt(redis.url);
    const key = await storedEntry(first);
    // Like an unavailable cluster node: the entries exist, and the epochs do not.
    redis.command("ACL", "SETUSER", "late", "on", ">pw", "~*", "&*", "+@all", "-hgetall");
    const late = await startService({
        ...stubEnvironment(upstream.url, redis.url),
        ADMIN_TOKEN,
        REDIS_USERNAME: "late",
        REDIS_PASSWORD: "pw",
    });
    endLater(late.stop);
    const admin = adminOf(late);
    expect(await ask(late)).toBe("MISS");
    expect((await late.get(PATHS.health)).json).toMatchObject({ redis: "down" });
    for (const path of ["/epochs/anonymous", "/flags"]) {
        expect((await admin("GET", path)).status).toBe(503);
    }
    expect((await admin("POST", "/entries/inspect", { input: TEXT })).status).toBe(503);
    expect((await admin("GET", `/entries/${key}`)).json).toMatchObject({
        redis: { state: "skipped" },
    });
    redis.command("ACL", "SETUSER", "late", "+hgetall");
    await eventually("it is known", async () => (await admin("GET", "/flags")).status === 200);
    expect((await admin("GET", `/entries/${key}`)).json).toMatchObject({
        redis: { state: "fresh" },
    });
});

describe("Polled records", () => {
    test("are unknown until one read has succeeded, and then stay in force", async () => {
        let answers = false;
        let reads = 0;
        const records = createPolledRecords({
            name: "Records",
            read: () => {
                reads += 1;
                return answers ? Promise.resolve() : Promise.reject(new Error("away"));
            },
            onReachable: () => undefined,
            log,
        });
        const started = records.start();
        await eventually("it is tried again", () => reads > 2);
        expect(records.isKnown()).toBe(false);
        answers = true;
        await started;
        expect(records.isKnown()).toBe(true);
        answers = false;
        await records.poll();
        expect(records.isKnown()).toBe(true);
        records.stop();
    });

    test("disable a shared cache while they are unknown", async () => {
        const embedding = { vector: trueVector("a") };
        const accesses: string[] = [];
        const cache = {
            ...noSharedCache,
            read: (keys: readonly string[]) => {
                accesses.push(...keys);
                return Promise.resolve(new Map([["k", embedding]]));
            },
            acquireLeases: () => Promise.resolve(new Set<string>()),
            write: () => void accesses.push("written"),
        } as unknown as SharedCache;
        let isKnown = false;
        const shared = withMissesUntilKnown(() => isKnown, cache);
        // The absence of Redis is known from the beginning.
        expect(shared.state()).toBe("off");
        expect((await shared.read(["k"], undefined)).size).toBe(0);
        expect(await shared.acquireLeases(["k"], "t", 1)).toEqual(new Set(["k"]));
        await shared.write([]);
        expect(accesses).toEqual([]);
        isKnown = true;
        expect((await shared.read(["k"], undefined)).size).toBe(1);
        expect((await shared.acquireLeases(["k"], "t", 1)).size).toBe(0);
        await shared.write([]);
        expect(accesses).toEqual(["k", "written"]);
    });
});
