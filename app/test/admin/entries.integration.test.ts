import { beforeEach, describe, expect, test } from "@jest/globals";
import { PATHS } from "@property-search/contract";

import { setUpEach } from "../../../tests/support/setUp.ts";
import { adminOf, ADMIN_TOKEN, expectRefusal } from "../support/admin.ts";
import { eventually } from "../support/eventually.ts";
import { MODEL, startService, stubEnvironment, type Service } from "../support/service.ts";
import { setUpRedis } from "../support/setUp.ts";
import { allAre } from "../support/stage.ts";
import { reply, rightAnswer, startStubUpstream, type Turn } from "../support/stubUpstream.ts";
import { DIMENSIONS, trueVector } from "../support/vectors.ts";
import { countEntries } from "../support/redisServer.ts";

const redis = setUpRedis();

beforeEach(() => void redis.command("FLUSHALL"));

const upstream = setUpEach(startStubUpstream, (stub) => stub.stop());
const startOne = () => startService({ ...stubEnvironment(upstream.url, redis.url), ADMIN_TOKEN });
/** Two pods with one Redis. */
const one = setUpEach(startOne, ({ stop }) => stop());
const other = setUpEach(startOne, ({ stop }) => stop());
const admin = adminOf(one);

beforeEach(() => allAre([one, other], "up"));

interface Seen {
    readonly cache: string | null;
    readonly vector: readonly number[];
}

async function ask(pod: Service, text: string): Promise<Seen> {
    const answer = await pod.post(PATHS.embed, { text });
    expect([answer.status, answer.text]).toEqual([200, expect.anything()]);
    const { embedding } = answer.json as { embedding: number[] };
    return {
        cache: answer.headers.get("x-cache"),
        vector: Array.from(Float32Array.from(embedding)),
    };
}

interface Report {
    readonly key: string;
    readonly local: { readonly state: string };
    readonly redis: { readonly state: string };
}

const inspect = async (body: object, at = admin): Promise<Report> => {
    const answer = await at("POST", "/entries/inspect", body);
    expect([answer.status, answer.text]).toEqual([200, expect.anything()]);
    return answer.json as Report;
};

const stored = (count: number): Promise<void> =>
    eventually("it is stored", () => countEntries(redis) === count);

/** Cached in the memory of both pods and in Redis. */
async function everywhere(text: string): Promise<string> {
    await ask(one, text);
    await stored(1);
    expect((await ask(other, text)).cache).toBe("HIT-L2");
    return (await inspect({ input: text })).key;
}

const right = (text: string): readonly number[] => Array.from(trueVector(text));
const JUDGEMENT = { reason: "it is another text's", actor: "ann" };

/** Responds with the vector of another text. */
const wrongVector: Turn = (body, response) =>
    reply(response, 200, rightAnswer({ ...body, input: ["something else"] }));

describe("An inspection", () => {
    test("by input or by key reports where an entry is and its metadata, never the text", async () => {
        const nowhere = await inspect({ input: "private words" });
        expect(nowhere).toMatchObject({ local: { state: "absent" }, redis: { state: "absent" } });
        await ask(one, "private words");
        await stored(1);
        const report = await inspect({ input: "  private\nwords " });
        const copy = {
            state: "fresh",
            createdAt: expect.stringMatching(/Z$/),
            freshUntil: expect.stringMatching(/Z$/),
            tokens: 2,
            dimensions: DIMENSIONS,
            truncated: false,
        };
        expect(report).toEqual({
            key: expect.stringMatching(/^[\w-]{43}$/),
            local: copy,
            redis: {
                ...copy,
                precision: "float32",
                buildId: expect.stringMatching(/^[0-9a-f]{16}$/),
                writtenByThisBuild: true,
                bytes: 56 + 4 * DIMENSIONS,
            },
            flag: null,
        });
        expect((await admin("GET", `/entries/${report.key}`)).json).toEqual(report);
        const far = await inspect({ input: "private words" }, adminOf(other));
        expect(far).toMatchObject({ local: { state: "absent" }, redis: { state: "fresh" } });
        expect(JSON.stringify([report, far])).not.toContain("private");
    });

    test("returns the vector on request", async () => {
        await ask(one, "a text");
        const expected = await inspect({ input: "a text", vector: true });
        expect(expected).toMatchObject({ vector: right("a text") });
        const byKey = await admin("GET", `/entries/${expected.key}?vector=true`);
        expect(byKey.json).toMatchObject({ vector: right("a text") });
    });

    test("finds token IDs, other dimensions, and the entry of one tenant only", async () => {
        const body = { model: MODEL, input: [5], dimensions: 8 };
        expect((await one.post(PATHS.embeddings, body)).status).toBe(200);
        const found = await inspect({ input: [5], dimensions: 8 });
        expect(found.local).toMatchObject({ state: "fresh", dimensions: 8 });
        for (const wish of [
            { input: [5] },
            { input: "5", dimensions: 8 },
            { input: [5], dimensions: 8, tenant: "other" },
        ]) {
            expect((await inspect(wish)).local.state).toBe("absent");
        }
    });

    test("reports corruption, and that Redis is unavailable", async () => {
        const key = await everywhere("a text");
        redis.command("SETRANGE", `embedding:${key}`, "60", "xxxx");
        expect(await inspect({ input: "a text" })).toMatchObject({
            local: { state: "fresh" },
            redis: { state: "corrupt", bytes: 56 + 4 * DIMENSIONS },
        });
        redis.pause();
        expect((await inspect({ input: "a text" })).redis).toEqual({ state: "unavailable" });
        redis.resume();
    });

    test.each([
        [{}, "input is missing"],
        [{ input: "" }, /^input must not be empty/],
        [{ input: ["a", "b"] }, "input has 2 items; allowed: one text or one list of token IDs"],
        [{ input: [1.5] }, /^input must contain texts or lists of token IDs/],
        [{ input: "a", dimensions: 0 }, /^dimensions is 0, but must be >= 1/],
        [{ input: "a", dimension: 5 }, /^dimension is unknown; allowed: tenant, input, dim/],
        [{ input: "a", tenant: "" }, /^tenant is "", but/],
    ])("of %j is rejected with its field", async (body, words) => {
        const answer = await admin("POST", "/entries/inspect", body);
        expectRefusal(answer, 400, words);
    });

    test("of an invalid key is rejected", async () => {
        const answer = await admin("GET", "/entries/short");
        expectRefusal(answer, 400, /^key is "short", but must match pattern/);
    });
});

describe("A flag", () => {
    test("removes a wrong entry from Redis and every pod, and the text is fetched again", async () => {
        upstream.misbehave(wrongVector);
        const key = await everywhere("a text");
        expect((await ask(other, "a text")).vector).not.toEqual(right("a text"));
        const answer = await admin("POST", `/entries/${key}/flag`, JUDGEMENT);
        expect(answer.json).toEqual({
            key,
            wasLocal: true,
            wasInRedis: true,
            propagationMilliseconds: 1_200,
        });
        const far = adminOf(other);
        await eventually("the other pod has let go of it", async () => {
            return (await inspect({ input: "a text" }, far)).local.state === "absent";
        });
        for (const pod of [one, other]) {
            expect((await ask(pod, "a text")).vector).toEqual(right("a text"));
        }
        expect(upstream.requests).toHaveLength(2);
        const flag = {
            key,
            ...JUDGEMENT,
            flaggedAt: expect.anything(),
            expiresAt: expect.anything(),
        };
        expect((await far("GET", "/flags")).json).toEqual([flag]);
        expect(await inspect({ input: "a text" })).toMatchObject({
            local: { state: "fresh" },
            redis: { state: "fresh" },
            flag,
        });
    });

    test("applies to an old copy that comes back, and to an emptied Redis", async () => {
        const key = await everywhere("a text");
        const name = `embedding:${key}`;
        redis.command("COPY", name, "embedding:saved");
        await admin("POST", `/entries/${key}/flag`, JUDGEMENT);
        const far = adminOf(other);
        const flagged = async () => ((await far("GET", "/flags")).json as unknown[]).length === 1;
        await eventually("the other pod knows", flagged);
        redis.command("COPY", "embedding:saved", name);
        expect((await inspect({ input: "a text" }, far)).redis.state).toBe("invalidated");
        expect((await ask(other, "a text")).cache).toBe("MISS");
        redis.command("FLUSHALL");
        await eventually("a pod has given it back", () =>
            redis.command("HLEN", "embedding:{invalidations}").startsWith("1"),
        );
        const late = await startService({
            ...stubEnvironment(upstream.url, redis.url),
            ADMIN_TOKEN,
        });
        await eventually("a new pod knows", async () => {
            const { json } = await adminOf(late)("GET", "/flags");
            return (json as unknown[]).length === 1;
        });
        await late.stop();
    });

    test("outlives the deletion of its entry", async () => {
        const key = await everywhere("a text");
        await admin("POST", `/entries/${key}/flag`, JUDGEMENT);
        expect((await admin("DELETE", `/entries/${key}`)).status).toBe(200);
        expect((await admin("GET", "/flags")).json).toMatchObject([{ key, ...JUDGEMENT }]);
    });

    test.each([
        [{}, "reason is missing; actor is missing"],
        [{ reason: "", actor: "ann" }, /^reason is "", but must NOT have fewer than 1/],
        [{ reason: "x".repeat(501), actor: "ann" }, /must NOT have more than 500 characters/],
        [{ ...JUDGEMENT, until: 1 }, /^until is unknown; allowed: reason, actor/],
    ])("with %j is rejected", async (body, words) => {
        const answer = await admin("POST", `/entries/${"k".repeat(43)}/flag`, body);
        expectRefusal(answer, 400, words);
    });

    test("while Redis is unavailable is rejected, because other pods would keep serving the entry", async () => {
        const key = await everywhere("a text");
        redis.pause();
        const answer = await admin("POST", `/entries/${key}/flag`, JUDGEMENT);
        redis.resume();
        expect(answer.status).toBe(503);
        expect(answer.headers.get("retry-after")).toBe("1");
        expect(answer.json).toMatchObject({ error: { code: "redis_unavailable" } });
        expect((await admin("GET", "/flags")).json).toEqual([]);
    });

    test("beyond the number that pods can read is rejected, and expired ones make room", async () => {
        const record = (n: number, until: number): readonly string[] => {
            const key = String(n).padStart(43, "k");
            const one = {
                key,
                kind: "flagged",
                reason: "r",
                actor: "a",
                recordedAt: 1,
                invalidBefore: 1,
                expiresAt: until,
            };
            return [key, JSON.stringify(one)];
        };
        const put = (until: number) => {
            const records = Array.from({ length: 2_000 }, (_, n) => record(n, until)).flat();
            redis.command("HSET", "embedding:{invalidations}", ...records);
        };
        const flag = () => admin("POST", `/entries/${"x".repeat(43)}/flag`, JUDGEMENT);
        put(1);
        expect((await flag()).status).toBe(200);
        expect(redis.command("HLEN", "embedding:{invalidations}")).toBe("1\n");
        redis.command("DEL", "embedding:{invalidations}");
        put(Date.now() + 60_000);
        const far = adminOf(other);
        const full = await far("POST", `/entries/${"y".repeat(43)}/flag`, JUDGEMENT);
        expectRefusal(full, 409, {
            code: "too_many_invalidations",
            message: expect.stringMatching(
                /^2000 entries are flagged.*increment the tenant's epoch instead/,
            ),
        });
    });

    test("without Redis applies to this pod", async () => {
        const alone = await startService({ ...stubEnvironment(upstream.url), ADMIN_TOKEN });
        const call = adminOf(alone);
        await ask(alone, "a text");
        const { key } = await inspect({ input: "a text" }, call);
        expect((await call("POST", `/entries/${key}/flag`, JUDGEMENT)).json).toMatchObject({
            wasLocal: true,
            wasInRedis: false,
            propagationMilliseconds: 0,
        });
        expect((await ask(alone, "a text")).cache).toBe("MISS");
        await alone.stop();
    });
});

describe("A deletion", () => {
    test("reaches Redis, this pod and the others, and is not a flag", async () => {
        const key = await everywhere("a text");
        const answer = await admin("DELETE", `/entries/${key}`);
        expect(answer.json).toMatchObject({ key, wasLocal: true, wasInRedis: true });
        await stored(0);
        await eventually("the other pod has let go of it", async () => {
            return (await inspect({ input: "a text" }, adminOf(other))).local.state === "absent";
        });
        expect((await ask(one, "a text")).cache).toBe("MISS");
        expect((await admin("GET", "/flags")).json).toEqual([]);
    });

    test("of a missing entry says so", async () => {
        const answer = await admin("DELETE", `/entries/${"k".repeat(43)}`);
        expect(answer.json).toMatchObject({ wasLocal: false, wasInRedis: false });
    });
});

describe("An epoch", () => {
    test("increment invalidates all entries of its tenant, here immediately and in other pods soon", async () => {
        await everywhere("a text");
        expect((await admin("GET", "/epochs/anonymous")).json).toEqual({
            tenant: "anonymous",
            epoch: "0.0",
        });
        expect((await admin("POST", "/epochs", { tenant: "anonymous" })).json).toEqual({
            tenant: "anonymous",
            epoch: "0.1",
            propagationMilliseconds: 1_200,
        });
        expect((await ask(one, "a text")).cache).toBe("MISS");
        const far = adminOf(other);
        await eventually("the other pod follows", async () => {
            const { json } = await far("GET", "/epochs/anonymous");
            return (json as { epoch: string }).epoch === "0.1";
        });
        const everybody = await admin("POST", "/epochs", { tenant: "*" });
        expect(everybody.json).toMatchObject({ tenant: "*", epoch: "1" });
        expect((await admin("GET", "/epochs/another")).json).toMatchObject({ epoch: "1.0" });
    });

    test.each([
        [{}, "tenant is missing"],
        [{ tenant: "A Team" }, /^tenant is "A Team", but must match pattern/],
        [{ tenant: "a", by: 2 }, /^by is unknown; allowed: tenant/],
    ])("of %j is rejected with its field", async (body, words) => {
        const answer = await admin("POST", "/epochs", body);
        expectRefusal(answer, 400, words);
    });

    test("cannot be incremented while Redis is unavailable", async () => {
        redis.pause();
        const answer = await admin("POST", "/epochs", { tenant: "anonymous" });
        redis.resume();
        expectRefusal(answer, 503, { code: "redis_unavailable" });
    });
});
