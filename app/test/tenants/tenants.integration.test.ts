import { createHash } from "node:crypto";
import { mkdtemp, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";

import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { HEADERS, METRICS, PATHS, parseTenants, TenantsError } from "@property-search/contract";
import { pino } from "pino";

import { endAfterTest } from "../../../tests/support/setUp.ts";
import { eventually } from "../support/eventually.ts";
import { startRedis } from "../support/redisServer.ts";
import {
    read,
    startService,
    stubEnvironment,
    type Answer,
    type Service,
    type StartOptions,
} from "../support/service.ts";
import { setUpRedis, setUpUpstream } from "../support/setUp.ts";
import { REFUSED, reply, rightAnswer } from "../support/stubUpstream.ts";

let folder: string;
let file: string;

const redis = setUpRedis();
const upstream = setUpUpstream();

beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "tenants-"));
    file = join(folder, "tenants.json");
});

const endLater = endAfterTest();

afterEach(async () => {
    redis.command("flushall");
    await rm(folder, { recursive: true });
});

test("a tenant's key may not be a token of the pod's ports", async () => {
    const AUTOMATION_TOKEN = "key-of-a-with-more-than-32-characters";
    const keys = [{ sha256: hashOf(AUTOMATION_TOKEN) }];
    await writeFile(file, JSON.stringify({ tenants: [tenant("b"), { id: "a", keys }] }));
    const environment = { ...stubEnvironment(upstream.url), TENANTS_FILE: file };
    await expect(startService({ ...environment, AUTOMATION_TOKEN })).rejects.toThrow(
        "tenants[1].keys has the value of AUTOMATION_TOKEN; allowed: a key of its own",
    );
    endLater((await startService(environment)).stop);
});

const hashOf = (key: string) => createHash("sha256").update(key).digest("hex");

/** A tenant whose only key is `key-of-` and its ID. */
const tenant = (id: string, more: object = {}) => ({
    id,
    keys: [{ sha256: hashOf(`key-of-${id}`) }],
    ...more,
});

async function start(tenants: readonly object[], environment: object = {}): Promise<Service> {
    await writeFile(file, JSON.stringify({ tenants }));
    return startMore(environment);
}

async function startMore(environment: object = {}, options?: StartOptions): Promise<Service> {
    const own = { ANONYMOUS: "false", TENANTS_FILE: file, ...environment };
    const service = await startService(
        { ...stubEnvironment(upstream.url, redis.url), ...own },
        options,
    );
    endLater(service.stop);
    return service;
}

async function ask(
    { url }: Service,
    key: string | undefined,
    text = "a text",
    header = "authorization",
): Promise<Answer> {
    const value = header === "authorization" ? `Bearer ${key}` : String(key);
    return read(
        await fetch(url + PATHS.embed, {
            method: "POST",
            body: JSON.stringify({ text }),
            headers: key === undefined ? {} : { [header]: value },
        }),
    );
}

const REQUESTS = (code: string) => `${METRICS.requests}{route="${PATHS.embed}",code="${code}"}`;

const errorOf = ({ json }: Answer) => (json as { error: Record<string, unknown> }).error;

describe("A request", () => {
    test("without a key, or with an unknown one, is a 401 in OpenAI's shape", async () => {
        const service = await start([tenant("search")]);
        const none = await ask(service, undefined);
        expect(none.status).toBe(401);
        expect(none.headers.get("www-authenticate")).toMatch(/^Bearer realm=/);
        expect(errorOf(none)).toMatchObject({
            type: "invalid_request_error",
            code: "invalid_api_key",
            message: "You did not provide an API key: send Authorization: Bearer KEY",
        });
        const wrong = await ask(service, "key-of-nobody");
        expect(wrong.status).toBe(401);
        expect(wrong.text).not.toContain("key-of-nobody");
        expect((await ask(service, "key-of-search")).status).toBe(200);
        expect((await ask(service, "key-of-search", "a text", "api-key")).status).toBe(200);
        expect(await service.metric(REQUESTS("401"))).toBe(2);
    });

    test("without a key is served if anonymous requests are, but a wrong key is not", async () => {
        const service = await start([tenant("search")], { ANONYMOUS: "true" });
        expect((await ask(service, undefined)).status).toBe(200);
        expect((await ask(service, "key-of-nobody")).status).toBe(401);
        // OpenAI's clients require a key.
        expect((await ask(service, "anonymous")).status).toBe(200);
        expect((await ask(service, "anonymous", "a text", "api-key")).status).toBe(200);
    });

    test("as anonymous is rejected if anonymous requests are not served", async () => {
        const service = await start([tenant("search")]);
        expect((await ask(service, "anonymous")).status).toBe(401);
    });

    test("is private: one tenant's entry is no other's hit, unless both have the same pool", async () => {
        const service = await start([
            tenant("one"),
            tenant("two"),
            tenant("left", { pool: "shared" }),
            tenant("right", { pool: "shared" }),
        ]);
        const statuses = [];
        for (const id of ["one", "two", "one", "left", "right"]) {
            const answer = await ask(service, `key-of-${id}`, "whose text is it");
            statuses.push(answer.headers.get(HEADERS.cache));
        }
        expect(statuses).toEqual(["MISS", "MISS", "HIT-L1", "MISS", "HIT-L1"]);
    });

    test("with an expired key is rejected, while the key after it is valid", async () => {
        const keys = [
            { sha256: hashOf("old"), expires: "2020-01-01T00:00:00Z" },
            { sha256: hashOf("new"), expires: "2999-01-01T00:00:00Z" },
        ];
        const service = await start([{ id: "search", keys }]);
        expect((await ask(service, "old")).status).toBe(401);
        expect((await ask(service, "new")).status).toBe(200);
    });
});

describe("The tenants file", () => {
    test("that is swapped like a Secret is applied without a restart; an invalid one is not", async () => {
        // A mounted Secret is a link to a link to a directory.
        const swap = async (name: string, text: string) => {
            await writeFile(join(folder, name), text);
            await symlink(name, join(folder, "next"));
            await rename(join(folder, "next"), file);
        };
        await swap("first", JSON.stringify({ tenants: [tenant("one")] }));
        const logged: string[] = [];
        const log = pino({ level: "error" }, { write: (line: string) => void logged.push(line) });
        const service = await startMore({}, { log });
        expect((await ask(service, "key-of-one")).status).toBe(200);
        await swap("second", JSON.stringify({ tenants: [tenant("two")] }));
        await eventually(
            "the new file is in force",
            async () => (await ask(service, "key-of-two")).status === 200,
        );
        await swap("third", "{");
        await eventually("it is read", () => logged.join().includes("tenants file is invalid"));
        expect((await ask(service, "key-of-two")).status).toBe(200);
    });

    test("that is invalid reports all errors, and no hash", () => {
        const text = JSON.stringify({
            tenants: [
                { id: "Upper", keys: [] },
                { id: "a", keys: [{ sha256: "abc", expires: "soon" }], limits: { burst: 0, x: 1 } },
                { id: "a", keys: [{ sha256: hashOf("k") }], color: "blue" },
                { id: "b", keys: [{ sha256: hashOf("k") }] },
            ],
        });
        let findings: readonly string[] = [];
        try {
            parseTenants(text);
        } catch (error) {
            if (error instanceof TenantsError) ({ errors: findings } = error);
        }
        expect(findings).toHaveLength(9);
        expect(findings.join("\n")).not.toContain(hashOf("k"));
    });
});

describe("A limit", () => {
    test("of requests allows a burst, then responds with 429 and the time to wait", async () => {
        const limits = { requestsPerSecond: 2, burst: 3 };
        const service = await start([tenant("busy", { limits }), tenant("calm")]);
        const begun = performance.now();
        const all = await Promise.all(
            Array.from({ length: 40 }, () => ask(service, "key-of-busy")),
        );
        const seconds = (performance.now() - begun) / 1000;
        const [rejected, ...others] = all.filter(({ status }) => status === 429);
        const served = all.filter(({ status }) => status === 200).length;
        expect(served + others.length + 1).toBe(all.length);
        expect(served).toBeGreaterThanOrEqual(limits.burst);
        expect(served).toBeLessThanOrEqual(limits.burst + limits.requestsPerSecond * seconds);
        if (!rejected) throw new Error("none is rejected");
        expect(errorOf(rejected)).toMatchObject({
            type: "requests",
            code: "rate_limit_exceeded",
            message: "Rate limit reached: 2 requests per second",
        });
        expect(rejected.headers.get("retry-after")).toBe("1");
        expect((await ask(service, "key-of-calm")).status).toBe(200);
        await eventually(
            "the bucket fills again",
            async () => (await ask(service, "key-of-busy")).status === 200,
        );
    });

    test("of tokens counts what reached the upstream; cache hits are free", async () => {
        const limits = { tokensPerMinute: 6 };
        const service = await start([tenant("frugal", { limits })]);
        // Its requests have to be in one minute of the clock.
        const secondsLeft = 60 - new Date().getSeconds();
        if (secondsLeft <= 10) await wait(secondsLeft * 1000);
        expect((await ask(service, "key-of-frugal", "four words of text")).status).toBe(200);
        for (let n = 0; n < 10; n += 1) {
            const hit = await ask(service, "key-of-frugal", "four words of text");
            expect(hit.headers.get(HEADERS.cache)).toBe("HIT-L1");
        }
        // By the bill of the first text, these are about 5 tokens, and 2 remain.
        const rejected = await ask(service, "key-of-frugal", "another four words here");
        expect(rejected.status).toBe(429);
        expect(errorOf(rejected)).toMatchObject({ type: "tokens", code: "rate_limit_exceeded" });
        expect(Number(rejected.headers.get("retry-after"))).toBeGreaterThan(0);
        expect((await ask(service, "key-of-frugal", "four words of text")).status).toBe(200);
    });

    test("of tokens charges what was billed, even if its request fails", async () => {
        const service = await start([tenant("sly", { limits: { tokensPerMonth: 20 } })]);
        const headers = { authorization: "Bearer key-of-sly" };
        const texts = ["a b c d e f g h i j k l", "m n o p q r s t u v w x", REFUSED];
        const body = JSON.stringify({ texts });
        const poisoned = await fetch(service.url + PATHS.embed, { method: "POST", headers, body });
        expect(poisoned.status).toBe(400);
        const rejected = await ask(service, "key-of-sly", "one two three");
        expect(errorOf(rejected)).toMatchObject({ code: "insufficient_quota" });
    });

    test("of tokens applies to concurrent requests", async () => {
        const limits = { tokensPerMinute: 50, tokensPerMonth: 50 };
        const service = await start([tenant("many", { limits })]);
        const before = upstream.billedTokens;
        const all = await Promise.all(
            Array.from({ length: 40 }, (_, at) => ask(service, "key-of-many", `at once ${at}`)),
        );
        const served = all.filter(({ status }) => status === 200).length;
        expect(served).toBeGreaterThan(0);
        expect(all.filter(({ status }) => status === 429)).toHaveLength(40 - served);
        expect(upstream.billedTokens - before).toBeLessThanOrEqual(50);
    });

    test("of a month is a quota, with the name that OpenAI's clients recognise", async () => {
        const service = await start([tenant("poor", { limits: { tokensPerMonth: 2 } })]);
        expect((await ask(service, "key-of-poor")).status).toBe(200);
        const rejected = await ask(service, "key-of-poor");
        expect(rejected.status).toBe(429);
        expect(errorOf(rejected)).toMatchObject({ code: "insufficient_quota" });
    });

    test("of concurrency is released, also by a client that disconnected", async () => {
        const limits = { concurrentRequests: 1 };
        const service = await start([tenant("single", { limits })]);
        const arrived = Promise.withResolvers<undefined>();
        const hang = Promise.withResolvers<undefined>();
        upstream.misbehave((body, response) => {
            arrived.resolve(undefined);
            void hang.promise.then(() => reply(response, 200, rightAnswer(body)));
        });
        const leave = new AbortController();
        const aborted = fetch(service.url + PATHS.embed, {
            method: "POST",
            body: JSON.stringify({ text: "slow" }),
            headers: { authorization: "Bearer key-of-single" },
            signal: leave.signal,
        }).catch(() => undefined);
        await arrived.promise;
        expect((await ask(service, "key-of-single")).status).toBe(429);
        leave.abort();
        await aborted;
        hang.resolve(undefined);
        await eventually(
            "the place is free again",
            async () => (await ask(service, "key-of-single")).status === 200,
        );
    });

    test("applies over two pods together, as far as they have synced", async () => {
        const limits = { tokensPerMonth: 10 };
        const first = await start([tenant("both", { limits })]);
        const second = await startMore();
        for (let n = 0; n < 10; n += 1) {
            expect((await ask(first, "key-of-both", `word-${n}`)).status).toBe(200);
        }
        await eventually(
            "the other pod knows",
            async () => (await ask(second, "key-of-both", "word-0")).status === 429,
        );
    });

    test("applies in each pod separately while Redis is unavailable", async () => {
        const own = await startRedis();
        const limits = { tokensPerMonth: 3 };
        const service = await start([tenant("alone", { limits })], { REDIS_URL: own.url.href });
        await own.kill();
        const statuses = [];
        for (let n = 0; n < 5; n += 1) {
            statuses.push((await ask(service, "key-of-alone", `word-${n}`)).status);
        }
        expect(statuses).toEqual([200, 200, 200, 429, 429]);
    });
});
