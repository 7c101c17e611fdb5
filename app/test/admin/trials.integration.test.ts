import { afterAll, beforeAll, beforeEach, describe, expect, test } from "@jest/globals";
import { ADMIN_PATHS, QUARANTINE_PROPAGATION_MILLISECONDS } from "@property-search/contract";

import { adminOf, refusal, type AdminCall } from "../support/admin.ts";
import { eventually } from "../support/eventually.ts";
import { startRedis, type RedisServer } from "../support/redisServer.ts";
import {
    ACTIVE,
    ask,
    begin,
    CANDIDATE,
    JUDGEMENT,
    startBuild,
    startModels,
    writersAt,
    type Models,
    type Told,
} from "../support/release.ts";
import { MODEL, type Service } from "../support/service.ts";

const WRITER = "0123456789abcdef";
const ORDER = { ...JUDGEMENT, release: "one" };

let models: Models;
let redis: RedisServer;
let active: Service;
let candidate: Service;
let admin: AdminCall;

beforeAll(async () => {
    models = await startModels();
    redis = await startRedis();
    const environment = { REDIS_URL: redis.url.href };
    active = await startBuild(ACTIVE, models.honest, environment);
    candidate = await startBuild(CANDIDATE, models.lying, environment);
    admin = adminOf(active);
});

/** Each test has a build of its own: the pods would give back what is taken out of Redis. */
let writer: string;
let builds = 0;
beforeEach(() => {
    builds += 1;
    writer = String(builds).padStart(16, "0");
});

afterAll(async () => {
    await Promise.all([active.stop(), candidate.stop()]);
    await Promise.all([models.stop(), redis.kill()]);
});

const put = (body: object, path = ADMIN_PATHS.quarantine(writer)) => admin("PUT", path, body);

describe("GET /writers", () => {
    test("tells the pod's own build by its digest, which its entries hold", async () => {
        const { own, current } = await writersAt(candidate);
        expect(current).toBe(true);
        expect(own).toEqual({
            writer: expect.stringMatching(/^[0-9a-f]{16}$/),
            colour: "green",
            version: "v2.0.0",
            provider: "openai",
            model: MODEL,
            revision: expect.any(String),
        });
        expect((await writersAt(active)).own.writer).not.toBe(own.writer);
        await ask(candidate, ["a text"]);
        const seen = () => adminOf(candidate)("POST", "/entries/inspect", { input: "a text" });
        await eventually("it is stored", async () => {
            const { redis } = (await seen()).json as { redis: { writer?: string } };
            return redis.writer === own.writer;
        });
    });
});

describe("An order", () => {
    test("puts a build on trial, and the same release again changes nothing", async () => {
        const answer = await put(ORDER);
        expect([answer.status, answer.json]).toEqual([
            200,
            {
                writer,
                state: "trial",
                ...ORDER,
                ordered: expect.stringMatching(/Z$/),
                since: "1970-01-01T00:00:00.000Z",
                failed: [],
                ends: expect.stringMatching(/Z$/),
                othersFollowWithinMilliseconds: QUARANTINE_PROPAGATION_MILLISECONDS,
            },
        ]);
        const again = (await put(ORDER)).json as Told;
        expect({ ...again, ends: "" }).toEqual({ ...(answer.json as Told), ends: "" });
        const { known } = await writersAt(active);
        expect(known.find((one) => one.writer === writer)).toMatchObject({ state: "trial" });
    });

    test("of another release begins anew: what was made before it failed", async () => {
        await put(ORDER);
        const { json } = await put({ ...ORDER, release: "two" });
        const { since, failed } = json as Told;
        expect(failed).toEqual([{ from: "1970-01-01T00:00:00.000Z", to: since }]);
    });

    test("given at two pods at one time goes by what the first one has left", async () => {
        const many = Array.from({ length: 20 }, (_, n) =>
            ADMIN_PATHS.quarantine(`${writer.slice(2)}${10 + n}`),
        );
        const failed = await Promise.all(
            many.map(async (path) => {
                const answers = await Promise.all([
                    admin("PUT", path, ORDER),
                    adminOf(candidate)("PUT", path, { ...ORDER, release: "two" }),
                ]);
                return answers.flatMap(({ json }) => (json as Told).failed);
            }),
        );
        // Or twice: an order whose answer a busy machine has lost is given again, after the other one's.
        for (const { length } of failed) expect([1, 2, 3]).toContain(length);
    });

    test("promotes the trial of its release, and after it a trial begins anew", async () => {
        await put(ORDER);
        const promotion = ADMIN_PATHS.promotion(writer);
        const other = await put({ ...ORDER, release: "two" }, promotion);
        expect([other.status, other.json]).toMatchObject([
            409,
            { error: { code: "other_release", param: "release" } },
        ]);
        expect(refusal(other)).toBe(
            'release is another one: the trial is that of the release "one"',
        );
        expect((await put(ORDER, promotion)).json).toMatchObject({ state: "promoted", failed: [] });
        expect((await put(ORDER, promotion)).status).toBe(200);
        const again = (await put(ORDER)).json as Told;
        expect(again).toMatchObject({ state: "trial", failed: [] });
        expect(Date.parse(again.since)).toBeGreaterThan(Date.now() - 60_000);
    });

    test("may reach back to a time that is over, and to no other", async () => {
        await put(ORDER, ADMIN_PATHS.promotion(writer));
        const since = "2026-01-01T00:00:00.000Z";
        expect((await put({ ...ORDER, since })).json).toMatchObject({ since });
        const late = await put({ ...ORDER, since: "2999-01-01T00:00:00.000Z" });
        expect(late.status).toBe(400);
        expect(refusal(late)).toBe(
            'since is "2999-01-01T00:00:00.000Z"; allowed: a time that is over',
        );
    });

    test.each([
        [{}, "release is missing; actor is missing; reason is missing"],
        [{ ...ORDER, reason: "" }, /^reason is "", but must NOT have fewer than 1/],
        [{ ...ORDER, since: "soon" }, /^since is "soon", but must match format "date-time"/],
        [{ ...ORDER, until: 1 }, /^until is not known here; allowed: release, actor, reason/],
    ])("with %j is refused with its field", async (body, words) => {
        const answer = await put(body);
        expect(answer.status).toBe(400);
        expect(refusal(answer)).toMatch(words);
    });

    test("for what is no build is refused", async () => {
        const answer = await put(ORDER, ADMIN_PATHS.quarantine("v2.0.0"));
        expect(answer.status).toBe(400);
        expect(refusal(answer)).toMatch(/^writer is "v2.0.0", but must match pattern/);
    });

    test("while Redis is away is refused, and nothing is done", async () => {
        redis.pause();
        const answers = [await put(ORDER), await put(ORDER, ADMIN_PATHS.promotion(writer))];
        redis.resume();
        for (const answer of answers) {
            expect([answer.status, answer.headers.get("retry-after")]).toEqual([503, "1"]);
            expect(refusal(answer)).toBe("Redis does not answer; try again");
        }
        const { known } = await writersAt(active);
        expect(known.filter((one) => one.writer === writer)).toEqual([]);
    });

    test("at a pod without Redis is refused: it shares no entries", async () => {
        const alone = await startBuild(ACTIVE, models.honest, {});
        const answer = await adminOf(alone)("PUT", ADMIN_PATHS.quarantine(WRITER), ORDER);
        expect([answer.status, answer.json]).toMatchObject([409, { error: { code: "no_redis" } }]);
        expect(await writersAt(alone)).toMatchObject({ current: true, known: [] });
        await alone.stop();
    });
});

describe("An entry of a build on trial", () => {
    test("is told as refused, and is neither exported nor imported", async () => {
        await ask(candidate, ["a lie"]);
        const inspect = async () => {
            const { json } = await admin("POST", "/entries/inspect", { input: "a lie" });
            return (json as { redis: { state: string } }).redis.state;
        };
        await eventually("it is stored", async () => (await inspect()) === "fresh");
        const exported = async (from: Service) =>
            (await adminOf(from)("GET", "/export")).text.trim().split("\n");
        const before = await exported(active);
        expect(before.length).toBeGreaterThan(2);
        await begin(active, candidate);
        expect(await inspect()).toBe("refused");
        await eventually("the candidate knows", async () => {
            const { own, known } = await writersAt(candidate);
            return known.some((one) => one.writer === own.writer);
        });
        for (const pod of [active, candidate]) expect(await exported(pod)).toHaveLength(2);
        const body = before.join("\n");
        const type = { "content-type": "application/x-ndjson" };
        const { json } = await admin("POST", "/import", body, type);
        expect(json).toMatchObject({
            written: 0,
            kept: 0,
            refused: before.length - 2,
            refusals: expect.arrayContaining([
                { line: 2, error: "its build is on trial, or was when it was made" },
            ]),
        });
    });
});
