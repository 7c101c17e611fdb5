import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { CACHE_KEY_PREFIX, HEADERS } from "@property-search/contract";

import { adminOf, ADMIN_TOKEN, type AdminCall } from "../support/admin.ts";
import { killPods, startPod, type Pod } from "../support/pod.ts";
import { freePort } from "../support/redisServer.ts";
import { stubEnvironment } from "../support/service.ts";
import { setUpRedis, setUpUpstream } from "../support/setUp.ts";

const HOUR_SECONDS = 3_600;
const TTL_SECONDS = 60;
/** Far below the skew: a busy machine takes long to start two pods. */
const TOLERANCE_SECONDS = 600;

interface SkewedPod extends Pod {
    readonly admin: AdminCall;
}

/** @param seconds by which its clock is ahead */
async function startSkewed(seconds: number): Promise<SkewedPod> {
    const change = `
        const { timeOrigin } = performance;
        Object.defineProperty(performance, "timeOrigin", { value: timeOrigin + ${seconds * 1_000} });
        const { now } = Date;
        Date.now = () => now() + ${seconds * 1_000};`;
    const adminPort = await freePort();
    const pod = await startPod({
        ...stubEnvironment(upstream.url, redis.url),
        ...{ ADMIN_TOKEN, ADMIN_PORT: String(adminPort) },
        ...{ CACHE_TTL: String(TTL_SECONDS), STALE_IF_ERROR_SECONDS: "0" },
        NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(change)}`,
    });
    const adminUrl = `http://127.0.0.1:${adminPort}/admin/v1`;
    return { ...pod, admin: adminOf({ adminUrl }) };
}

const ask = async (pod: Pod, text: string) => (await pod.ask(text)).headers.get(HEADERS.cache);

const redis = setUpRedis();
const upstream = setUpUpstream();
afterAll(killPods);

describe.each([
    ["ahead", HOUR_SECONDS],
    ["behind", -HOUR_SECONDS],
])("a pod whose clock is an hour %s", (name, skew) => {
    let [wrong, right]: SkewedPod[] = [];
    const now = () => Date.now() / 1_000;
    const isNow = (time: string | number | undefined) =>
        Math.abs(Number(new Date(time ?? NaN)) / 1_000 - now()) < TOLERANCE_SECONDS;

    beforeAll(async () => {
        redis.command("FLUSHALL");
        // The first one: it begins the registry of the ghosts.
        wrong = await startSkewed(skew);
        right = await startSkewed(0);
    });
    afterAll(() => killPods());

    const inspect = async (text: string) => {
        const { json } = (await right?.admin("POST", "/entries/inspect", { input: text })) ?? {};
        return json as { key: string; redis: { createdAt: string; freshUntil: string } };
    };

    test("stamps entries by the clock of Redis, so that others serve them", async () => {
        if (!wrong || !right) throw new Error("not started");
        const text = `skewed ${name}`;
        expect(await ask(wrong, text)).toBe("MISS");
        expect(await ask(right, text)).toBe("HIT-L2");
        const { createdAt, freshUntil } = (await inspect(text)).redis;
        expect([isNow(createdAt), isNow(Date.parse(freshUntil) - TTL_SECONDS * 1_000)]).toEqual([
            true,
            true,
        ]);
    });

    test("serves what another pod has fetched, flagged or not", async () => {
        if (!wrong || !right) throw new Error("not started");
        const text = `flagged ${name}`;
        expect(await ask(right, text)).toBe("MISS");
        expect(await ask(wrong, text)).toBe("HIT-L2");
        const { key } = await inspect(text);
        const flag = { reason: "a test", actor: "ann" };
        expect((await wrong.admin("POST", `/entries/${key}/flag`, flag)).status).toBe(200);
        expect(await ask(wrong, text)).toBe("MISS");
        expect(await ask(wrong, text)).toBe("HIT-L1");
    });

    test("begins the history of the ghosts now", () => {
        const since = Number(redis.command("HGET", `${CACHE_KEY_PREFIX}{ghosts}`, ":since"));
        expect(isNow(since * 1_000)).toBe(true);
    });

    test("stamps changes of settings by it", async () => {
        const change = { version: 1, actor: "ann", reason: "a test" };
        const settings = { localCacheMaxEntries: 1_000 };
        await wrong?.admin("PUT", "/settings", { ...change, settings });
        const { json } = (await wrong?.admin("GET", "/settings")) ?? {};
        expect(isNow((json as { changedAt: string }).changedAt)).toBe(true);
    });
});

test("a Redis that denies its time is used all the same", async () => {
    redis.command("ACL", "SETUSER", "default", "-time");
    try {
        const pod = await startSkewed(0);
        expect(await ask(pod, "denied")).toBe("MISS");
        expect(await ask(pod, "denied")).toBe("HIT-L1");
    } finally {
        redis.command("ACL", "SETUSER", "default", "+time");
    }
});
