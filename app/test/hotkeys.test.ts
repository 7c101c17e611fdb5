import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";

import { afterAll, afterEach, beforeAll, describe, expect, test } from "@jest/globals";
import { PATHS } from "@property-search/contract";

import { sketch } from "../src/hotkeys/sketch.ts";
import { adminOf, ADMIN_TOKEN } from "./support/admin.ts";
import { eventually } from "./support/eventually.ts";
import { freePort, startRedis, type RedisServer } from "./support/redisServer.ts";
import { startService, stubEnvironment } from "./support/service.ts";
import { startStubUpstream, type StubUpstream } from "./support/stubUpstream.ts";

const SERVER = join(import.meta.dirname, "../src/server.ts");

let redis: RedisServer;
let upstream: StubUpstream;
let running: ChildProcess[] = [];

beforeAll(async () => {
    [redis, upstream] = await Promise.all([startRedis(), startStubUpstream()]);
});

afterEach(() => {
    for (const child of running) child.kill("SIGKILL");
    running = [];
});

afterAll(async () => {
    await Promise.all([redis.kill(), upstream.stop()]);
});

interface Pod {
    readonly ask: (text: string) => Promise<string | null>;
    readonly end: () => Promise<void>;
}

/** The real server in a process of its own, ready. */
async function startPod(environment: Record<string, string> = {}): Promise<Pod> {
    const port = await freePort();
    const child = spawn(process.execPath, [SERVER], {
        env: {
            PATH: process.env.PATH,
            LOG_LEVEL: "error",
            ANONYMOUS: "true",
            PORT: String(port),
            ...stubEnvironment(upstream.url, redis.url),
            ...environment,
        },
        stdio: ["ignore", "ignore", "inherit"],
    });
    running.push(child);
    const url = `http://127.0.0.1:${port}`;
    await eventually("the pod is ready", async () => {
        const answer = await fetch(url + PATHS.ready).catch(() => undefined);
        return answer?.status === 200;
    });
    return {
        ask: async (text) => {
            const answer = await fetch(url + PATHS.embed, {
                method: "POST",
                body: JSON.stringify({ text }),
            });
            return answer.headers.get("x-cache");
        },
        end: async () => {
            const exit = once(child, "exit");
            child.kill("SIGTERM");
            await exit;
        },
    };
}

describe("Hot keys", () => {
    test("of a pod that ended are in the memory of the next one before it is ready", async () => {
        const first = await startPod();
        for (let n = 0; n < 100; n += 1) await first.ask("a hot text");
        expect(await first.ask("a cold text")).toBe("MISS");
        await first.end();
        const second = await startPod();
        expect(await second.ask("a hot text")).toBe("HIT-L1");
        expect(await second.ask("a cold text")).toBe("HIT-L2");
        await second.end();
    });

    test("of two pods add up, the hottest first, and what memory holds is the hottest", async () => {
        redis.command("FLUSHALL");
        const pods = [await startPod(), await startPod()];
        for (const pod of pods) {
            for (let n = 0; n < 64; n += 1) await pod.ask("warm text");
            for (let n = 0; n < 320; n += 1) await pod.ask("hottest text");
        }
        for (const pod of pods) await pod.end();
        const small = await startPod({ MAX_LOCAL_CACHE_SIZE: "1" });
        expect(await small.ask("hottest text")).toBe("HIT-L1");
        expect(await small.ask("warm text")).toBe("HIT-L2");
        await small.end();
    });

    test("without Redis delay a start by two seconds at most", async () => {
        const away = `redis://127.0.0.1:${await freePort()}`;
        const pod = await startPod({ REDIS_URL: away });
        expect(await pod.ask("any text")).toBe("MISS");
        await pod.end();
    });

    test("are listed by the admin port with tenant and estimated requests", async () => {
        const service = await startService({ ...stubEnvironment(upstream.url), ADMIN_TOKEN });
        const texts = Array.from({ length: 500 }, (_, n) => (n % 5 === 0 ? "second" : "first"));
        for (let n = 0; n < 10; n += 1) await service.post(PATHS.embed, { texts });
        const admin = adminOf(service);
        const { json } = await admin("GET", "/hot-keys?limit=2");
        const [first, second] = json as { key: string; tenant: string; requests: number }[];
        expect(first).toMatchObject({
            tenant: "anonymous",
            key: expect.stringMatching(/^[\w-]{43}$/),
        });
        expect(first?.requests).toBeGreaterThan(second?.requests ?? NaN);
        expect((await admin("GET", "/hot-keys?limit=0")).status).toBe(400);
        await service.stop();
    });
});

describe("The sketch", () => {
    test("keeps every key above 1/capacity of the stream, in bounded memory", () => {
        const capacity = 50;
        const counted = sketch(capacity);
        const hot = Array.from({ length: 10 }, (_, n) => `hot ${n}`);
        for (let n = 0; n < 100_000; n += 1) {
            counted.add(n % 2 === 0 ? (hot[(n / 2) % 10] ?? "") : `once ${n}`, "tenant");
        }
        const top = counted.top(10);
        expect(top.map(({ key }) => key).sort()).toEqual(hot);
        for (const { weight } of top) {
            expect(weight).toBeLessThanOrEqual(5_000);
            expect(weight).toBeGreaterThan(5_000 - 100_000 / capacity);
        }
        expect(counted.top(1_000_000).length).toBeLessThanOrEqual(2 * capacity);
    });
});
