import { readdirSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";

import { beforeEach, describe, expect, test } from "@jest/globals";
import { METRICS, PATHS } from "@property-search/contract";

import { setUpEach } from "../../../tests/support/setUp.ts";
import { adminOf, ADMIN_TOKEN, expectRefusal } from "../support/admin.ts";
import { eventually } from "../support/eventually.ts";
import { countEntries } from "../support/redisServer.ts";
import { MODEL, startService, stubEnvironment, type Answer } from "../support/service.ts";
import { setUpRedis } from "../support/setUp.ts";
import { REFUSED, reply, rightAnswer, startStubUpstream } from "../support/stubUpstream.ts";

const redis = setUpRedis();

beforeEach(() => void redis.command("FLUSHALL"));

const upstream = setUpEach(startStubUpstream, (one) => one.stop());
const service = setUpEach(
    () => startService({ ...stubEnvironment(upstream.url, redis.url), ADMIN_TOKEN }),
    (one) => one.stop(),
);
const admin = adminOf(service);

const PLAIN = { "content-type": "text/plain" };
const NDJSON = { "content-type": "application/x-ndjson" };
const ENOUGH = "maxTokens=100000";

interface Job {
    readonly id: string;
    readonly state: string;
    readonly reason: string | null;
    readonly estimate: Record<string, number>;
    readonly progress: Record<string, number> & { failures: unknown[] };
}

const texts = (count: number, word = "listing"): string =>
    Array.from({ length: count }, (_, n) => `${word} number ${n}\n`).join("");

const startJob = async (body: string, query = ENOUGH, headers = PLAIN): Promise<Job> => {
    const answer = await admin("POST", `/warmups?${query}`, body, headers);
    expect([answer.status, answer.text]).toEqual([202, expect.anything()]);
    return answer.json as Job;
};

async function ended(id: string): Promise<Job> {
    const look = async () => (await admin("GET", `/warmups/${id}`)).json as Job;
    await eventually("the job has ended", async () => (await look()).state !== "running");
    return look();
}

const cacheOf = async (text: string): Promise<string | null> =>
    (await service.post(PATHS.embed, { text })).headers.get("x-cache");

const leftovers = (): readonly string[] =>
    readdirSync(tmpdir()).filter((name) => name.startsWith(`warmup-${process.pid}-`));

describe("A warm-up", () => {
    test("embeds each uncached text once, and reports the cost", async () => {
        await cacheOf("listing number 3");
        const before = upstream.billedTokens;
        const { id, estimate } = await startJob(
            texts(100) + texts(10) + "\n  listing   number 7 \n",
        );
        expect(estimate).toMatchObject({ lines: 111, duplicates: 11, cached: 1, missing: 99 });
        const job = await ended(id);
        expect(job).toMatchObject({ state: "done", reason: null });
        expect(job.progress).toMatchObject({ hits: 1, embedded: 99, failed: 0, failures: [] });
        expect(job.progress.tokens).toBe(upstream.billedTokens - before);
        expect(job.progress.dollars).toBeCloseTo((upstream.requests.length - 1) * 0.001);
        const requestedInputs = upstream.requests.flatMap(({ input }) => input);
        expect(new Set(requestedInputs).size).toBe(requestedInputs.length);
        expect(leftovers()).toEqual([]);
    });

    test("fills the shared cache, and leaves the local cache to client requests", async () => {
        const { id } = await startJob('"one text"\n{"text":"another text"}\n', ENOUGH, NDJSON);
        await ended(id);
        expect(await cacheOf("one text")).toBe("HIT-L2");
        expect(await cacheOf("another text")).toBe("HIT-L2");
    });

    test("repeated costs nothing", async () => {
        await ended((await startJob(texts(50))).id);
        await eventually("all is stored", () => countEntries(redis) === 50);
        const again = await ended((await startJob(texts(50), "maxTokens=0")).id);
        expect(again.estimate).toMatchObject({ missing: 0, tokens: 0, dollars: 0 });
        expect(again.progress).toMatchObject({ hits: 50, embedded: 0, tokens: 0 });
    });

    test("only estimates in a dry run", async () => {
        const answer = await admin("POST", "/warmups?dryRun=true", texts(64), PLAIN);
        expect(answer.status).toBe(200);
        expect(answer.json).toMatchObject({ lines: 64, missing: 64, dollars: 0.002 });
        expect(upstream.requests).toEqual([]);
        expect((await admin("GET", "/warmups")).json).toEqual([]);
    });

    test.each([
        ["maxTokens=10", /estimated at \d+ tokens; maxTokens is 10/],
        ["maxDollars=0.0001", /estimated at 0\.0040 dollars; maxDollars is 0\.0001/],
    ])("over the budget of %s is rejected before its first call", async (query, words) => {
        const answer = await admin("POST", `/warmups?${query}`, texts(100), PLAIN);
        expectRefusal(answer, 422, {
            code: "budget_exceeded",
            message: expect.stringMatching(words),
        });
        expect(upstream.requests).toEqual([]);
        expect(leftovers()).toEqual([]);
    });

    test("stops when the bill exceeds the estimate", async () => {
        // Thirty times the estimated tokens.
        upstream.misbehave((body, response) => {
            reply(response, 200, { ...rightAnswer(body), usage: { prompt_tokens: 9_000 } });
        });
        const { id } = await startJob(texts(200), "maxTokens=9000&concurrency=1");
        const job = await ended(id);
        expect(job).toMatchObject({
            state: "stopped",
            reason: expect.stringMatching(/maxTokens is 9000/),
            progress: { embedded: 32, tokens: 9_000 },
        });
        expect(upstream.requests).toHaveLength(1);
    });

    test("continues when its client has disconnected", async () => {
        const upload = request(`${service.adminUrl}/warmups?${ENOUGH}`, {
            method: "POST",
            headers: { ...PLAIN, authorization: `Bearer ${ADMIN_TOKEN}` },
        });
        const hang = Promise.withResolvers<undefined>();
        upstream.misbehave((_, response) => {
            void hang.promise.then(() => reply(response, 503, {}));
        });
        upload.end(texts(20));
        upload.on("error", () => undefined);
        await eventually("its first call is made", () => upstream.requests.length === 1);
        upload.destroy();
        hang.resolve(undefined);
        const [job] = (await admin("GET", "/warmups")).json as Job[];
        expect((await ended(job?.id ?? "")).progress).toMatchObject({ embedded: 20 });
    });

    test("can be cancelled, keeps what it has stored, and the next one can start", async () => {
        const arrived = Promise.withResolvers<undefined>();
        upstream.misbehave((_, response) => {
            reply(response, 429, {}, { "retry-after": "1" });
            arrived.resolve(undefined);
        });
        const { id } = await startJob(texts(500), `${ENOUGH}&concurrency=1`);
        await arrived.promise;
        const second = await admin("POST", `/warmups?${ENOUGH}`, texts(1), PLAIN);
        expectRefusal(second, 409, /Another warm-up is running/);
        const cancelled = await admin("DELETE", `/warmups/${id}`);
        expect(cancelled.json).toMatchObject({ id, state: "cancelled" });
        const third = await startJob(texts(1));
        expect(await ended(third.id)).toMatchObject({ state: "done" });
    });

    test("lists the lines that the upstream rejects, and embeds the others", async () => {
        const { id } = await startJob(`${texts(3)}${REFUSED} one\n${texts(3, "flat")}`);
        const { state, progress } = await ended(id);
        expect(state).toBe("done");
        expect(progress).toMatchObject({
            embedded: 6,
            failed: 1,
            failures: [{ line: 4, error: "input refused" }],
        });
        expect(JSON.stringify(progress)).not.toContain(REFUSED);
    });

    test("yields to client requests", async () => {
        const hang = Promise.withResolvers<undefined>();
        upstream.misbehave((body, response) => {
            void hang.promise.then(() => reply(response, 200, rightAnswer(body)));
        });
        const slow = cacheOf("a client's text");
        await eventually("the client's call is made", () => upstream.requests.length === 1);
        const { id } = await startJob(texts(5));
        const waiting = (await admin("GET", "/state")).json;
        expect(waiting).toMatchObject({ waitingRequests: 1 });
        expect(upstream.requests).toHaveLength(1);
        hang.resolve(undefined);
        expect(await slow).toBe("MISS");
        expect((await ended(id)).progress).toMatchObject({ embedded: 5 });
    });

    test("without Redis fills the local cache", async () => {
        const alone = await startService({ ...stubEnvironment(upstream.url), ADMIN_TOKEN });
        const call = adminOf(alone);
        await call("POST", `/warmups?${ENOUGH}`, "one text\n", PLAIN);
        const state = async () => ((await call("GET", "/warmups")).json as Job[])[0]?.state;
        await eventually("the job is done", async () => (await state()) === "done");
        const answer = await alone.post(PATHS.embed, { text: "one text" });
        expect(answer.headers.get("x-cache")).toBe("HIT-L1");
        expect(
            await alone.metric(
                `${METRICS.tokensBilled}{tenant="anonymous",model="${MODEL}",purpose="warmup"}`,
            ),
        ).toBe(2);
        await alone.stop();
    });
});

describe("An invalid warm-up", () => {
    const send = (body: string | Uint8Array, query = ENOUGH, headers = NDJSON): Promise<Answer> =>
        admin("POST", `/warmups?${query}`, body, headers);

    test.each([
        ['"fine"\n{broken\n', /^Line 2 of the upload is invalid: it is not JSON/],
        ['{"txt":"x"}\n', /^Line 1 .*allowed: a JSON string, or an object such as \{"text":"…"\}/],
        ['"fine"\n\n"  "\n', /^Line 3 .*its text is blank/],
        [Buffer.from([0x22, 0xff, 0x22]), /^Line 1 .*not UTF-8/],
        ["x".repeat(300_000), /^Line 1 .*longer than 262144 characters/],
    ])("upload is rejected with its line: %#", async (body, words) => {
        const answer = await send(body);
        expectRefusal(answer, 400, words);
        expect(leftovers()).toEqual([]);
        expect((await admin("GET", "/warmups")).json).toEqual([]);
    });

    test.each([
        ["", /^Set a budget: maxTokens or maxDollars/],
        ["maxTokens=-1", /^maxTokens is -1, but must be >= 0/],
        ["maxTokens=many", /^maxTokens is "many", but must be integer/],
        [`${ENOUGH}&concurrency=9`, /^concurrency is 9, but must be <= 8/],
        [`${ENOUGH}&speed=9`, /^speed is unknown; allowed: tenant, maxTokens/],
    ])("query %j is rejected with its field", async (query, words) => {
        const answer = await send('"a"\n', query);
        expectRefusal(answer, 400, words);
    });

    test("type of upload is rejected with 415", async () => {
        expect((await send("{}", ENOUGH, { "content-type": "text/csv" })).status).toBe(415);
    });

    test.each(["GET", "DELETE"])("id is a 404 for %s", async (method) => {
        const id = "00000000-0000-4000-8000-000000000000";
        const answer = await admin(method, `/warmups/${id}`);
        expectRefusal(answer, 404, /This pod has no warm-up .*\/admin\/v1\/warmups lists them/);
        expect((await admin(method, "/warmups/x")).status).toBe(400);
    });
});
