import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import {
    ADMIN_PATHS,
    CACHE_KEY_PREFIX,
    PATHS,
    type RuntimeSettingsState,
} from "@property-search/contract";

import { adminOf, ADMIN_TOKEN, expectRefusal } from "../support/admin.ts";
import { eventually } from "../support/eventually.ts";
import { startRedis, type RedisServer } from "../support/redisServer.ts";
import { MODEL, startService, stubEnvironment, type Service } from "../support/service.ts";
import { setUpUpstream } from "../support/setUp.ts";

const DAY = 86_400;
const WEEK = 7 * DAY;
const STALE = 3_600;
const BY = { actor: "ann", reason: "a test" };

let redis: RedisServer;
let running: Service[] = [];

const upstream = setUpUpstream();

beforeEach(async () => {
    redis = await startRedis();
});
afterEach(async () => {
    await Promise.all(running.map(({ stop }) => stop()));
    running = [];
    await redis.kill();
});

async function start(environment: Readonly<Record<string, string>> = {}): Promise<Service> {
    const service = await startService({
        ...stubEnvironment(upstream.url, redis.url),
        STALE_IF_ERROR_SECONDS: String(STALE),
        ADMIN_TOKEN,
        ...environment,
    });
    running.push(service);
    return service;
}

const GREEN = { COLOUR: "green", VERSION: "v2.0.0" };
const get = async (pod: Service) =>
    (await adminOf(pod)("GET", ADMIN_PATHS.settings)).json as RuntimeSettingsState;
const put = (pod: Service, version: number, settings: object) =>
    adminOf(pod)("PUT", ADMIN_PATHS.settings, { version, ...BY, settings });
/** Undefined while the pod has not read them. */
const valueIn = async (pod: Service) => {
    const { settings } = (await get(pod)) as Partial<RuntimeSettingsState>;
    return settings?.cacheTtlSeconds.value;
};
const ask = (pod: Service, ...texts: string[]) =>
    pod.post(PATHS.embeddings, { model: MODEL, input: texts });

describe("settings at run time", () => {
    test("are changed in the pods of both colours without a restart, and shown by a metric", async () => {
        const [blue, green] = [await start(), await start(GREEN)];
        const answer = await put(blue, 1, { cacheTtlSeconds: DAY, localCacheMaxEntries: 3_000 });
        expect(answer).toMatchObject({
            status: 200,
            json: { version: 1, ...BY, propagationMilliseconds: 1_200 },
        });
        await eventually("green follows", async () => (await valueIn(green)) === DAY);
        for (const pod of [blue, green]) {
            const series = (setting: string) =>
                pod.metric(`embedding_setting_value{setting="${setting}",source="tuned"}`);
            expect(await series("cacheTtlSeconds")).toBe(DAY);
            expect(await series("localCacheMaxEntries")).toBe(3_000);
        }
        expect((await adminOf(green)("GET", "/config")).json).toMatchObject({
            cacheTtlSeconds: WEEK,
            localCacheMaxEntries: 2_000,
        });
    });

    test("are in force again after a restart, unless the configured value has changed", async () => {
        const blue = await start();
        await put(blue, 1, { cacheTtlSeconds: DAY });
        expect(await valueIn(await start())).toBe(DAY);
        const changed = await start({ CACHE_TTL: String(2 * WEEK) });
        expect(await valueIn(changed)).toBe(2 * WEEK);
        expect(
            await changed.metric(
                'embedding_setting_value{setting="cacheTtlSeconds",source="config"}',
            ),
        ).toBe(2 * WEEK);
    });

    test("apply to entries that are written from then on, in Redis and in memory", async () => {
        const pod = await start();
        const storedSeconds = async (text: string) => {
            await ask(pod, text);
            const inspect = await adminOf(pod)("POST", "/entries/inspect", { input: text });
            const { key, local } = inspect.json as {
                key: string;
                local: { createdAt: string; freshUntil: string };
            };
            let left = NaN;
            await eventually("it is stored", () => {
                left = Number(redis.command("PTTL", CACHE_KEY_PREFIX + key)) / 1000;
                return left > 0;
            });
            const fresh = (Date.parse(local.freshUntil) - Date.parse(local.createdAt)) / 1000;
            return { left, fresh };
        };
        const before = await storedSeconds("one text");
        expect(before.fresh).toBeGreaterThan(0.9 * WEEK - 1);
        await put(pod, 1, { cacheTtlSeconds: DAY });
        const after = await storedSeconds("another text");
        expect(after.fresh).toBeGreaterThan(0.9 * DAY - 1);
        expect(after.fresh).toBeLessThanOrEqual(DAY + 1);
        // The stale copy is kept for as long as with any other lifetime.
        expect(after.left - after.fresh).toBeGreaterThan(STALE - 300);
        expect(after.left - after.fresh).toBeLessThanOrEqual(STALE + 1);
        // Earlier entries keep their lifetime.
        expect((await storedSeconds("one text")).fresh).toBe(before.fresh);
    });

    test("keep flags for as long as entries with an earlier lifetime may exist", async () => {
        const pod = await start();
        await ask(pod, "one text");
        await put(pod, 1, { cacheTtlSeconds: 60 });
        const { json } = await adminOf(pod)("POST", "/entries/inspect", { input: "another text" });
        await adminOf(pod)("POST", `/entries/${(json as { key: string }).key}/flag`, BY);
        const flags = (await adminOf(pod)("GET", "/flags")).json as [
            { flaggedAt: string; expiresAt: string },
        ];
        const kept = (Date.parse(flags[0].expiresAt) - Date.parse(flags[0].flaggedAt)) / 1000;
        expect(kept).toBeGreaterThan(WEEK + STALE - 60);
    });

    test("shrink and grow the pod's memory", async () => {
        const pod = await start();
        const texts = Array.from({ length: 40 }, (_, at) => `text ${at}`);
        await ask(pod, ...texts);
        const entries = () => pod.metric("embedding_local_cache_entries");
        expect(await entries()).toBe(40);
        await put(pod, 1, { localCacheMaxEntries: 10 });
        await eventually("it shrinks", async () => (await entries()) === 10);
        await put(pod, 2, { localCacheMaxEntries: 30 });
        await ask(pod, ...texts);
        expect(await entries()).toBe(30);
    });

    test("are restored at once by the kill switch, in all pods", async () => {
        const [blue, green] = [await start(), await start(GREEN)];
        await put(blue, 1, { cacheTtlSeconds: DAY });
        await eventually("green follows", async () => (await valueIn(green)) === DAY);
        const stop = { tuning: "stopped", actor: "ann", reason: "odd hit rates" };
        const stopped = await adminOf(green)("PUT", ADMIN_PATHS.tuning, stop);
        expect(stopped).toMatchObject({ status: 200, json: { version: 2, tuning: "stopped" } });
        await eventually("blue follows", async () => (await valueIn(blue)) === WEEK);
        const rejected = await put(blue, 3, { cacheTtlSeconds: DAY });
        expectRefusal(
            rejected,
            409,
            "settings.cacheTtlSeconds is 86400, but tuning is stopped; allowed: null, or PUT /settings/tuning first",
        );
    });
});

describe("a change is rejected", () => {
    test("with the field, its value and what is allowed", async () => {
        const pod = await start({ LOCAL_CACHE_ENTRIES_LIMIT: "5000" });
        const cases: readonly (readonly [object, number, RegExp])[] = [
            [{ cacheTtlSeconds: 59 }, 400, /settings\.cacheTtlSeconds is 59.* 60/],
            [{ localCacheMaxEntries: 5_001 }, 400, /is 5001; allowed: .* from 1 to 5000, or null/],
            [{ cacheTtl: 60 }, 400, /settings\.cacheTtl is unknown; allowed: cacheTtlSeconds/],
            [{}, 400, /settings is \{\}/],
        ];
        for (const [settings, status, message] of cases) {
            const answer = await put(pod, 1, settings);
            expectRefusal(answer, status, message);
        }
        const early = await put(pod, 2, { cacheTtlSeconds: DAY });
        expectRefusal(early, 409, "version is 2; allowed: 1, which follows the current one");
        expect(await get(pod)).toMatchObject({ version: 0, changedAt: null });
    });

    test("while an experiment varies the setting", async () => {
        const pod = await start({ EXPERIMENTS: '[{"name":"cache_ttl_optimization"}]' });
        const answer = await put(pod, 1, { cacheTtlSeconds: DAY });
        expectRefusal(
            answer,
            409,
            "settings.cacheTtlSeconds is varied by the experiment cache_ttl_optimization; allowed: null until it has ended",
        );
        const series = (arm: string) =>
            pod.metric(`embedding_setting_value{setting="cacheTtlSeconds",source="${arm}"}`);
        expect([await series("control"), await series("treatment")]).toEqual([WEEK, 2 * WEEK]);
    });

    test("by a pod without Redis, which has its configured values", async () => {
        const pod = await startService({ ...stubEnvironment(upstream.url), ADMIN_TOKEN });
        running.push(pod);
        const answer = await put(pod, 1, { cacheTtlSeconds: DAY });
        expectRefusal(
            answer,
            409,
            "This pod has no Redis, so that other pods would not follow; allowed: the stack's config",
        );
        expect(await valueIn(pod)).toBe(WEEK);
    });

    test("while Redis is lost; the values stay in force, and return to an emptied Redis", async () => {
        const pod = await start();
        await put(pod, 1, { cacheTtlSeconds: DAY });
        await redis.kill();
        const answer = await put(pod, 2, { cacheTtlSeconds: 2 * DAY });
        expect([answer.status, (answer.json as { error: { code: string } }).error.code]).toEqual([
            503,
            "outcome_unknown",
        ]);
        expect(await valueIn(pod)).toBe(DAY);
        const unread = await start();
        expect((await adminOf(unread)("GET", ADMIN_PATHS.settings)).status).toBe(503);
        redis = await startRedis(redis.port);
        await eventually("another pod reads it", async () => (await valueIn(unread)) === DAY);
    });
});
