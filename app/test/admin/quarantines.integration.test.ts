import { beforeEach, describe, expect, test } from "@jest/globals";
import { ADMIN_PATHS, QUARANTINE_PROPAGATION_MILLISECONDS } from "@property-search/contract";

import { setUp } from "../../../tests/support/setUp.ts";
import { adminOf, expectRefusal } from "../support/admin.ts";
import { eventually } from "../support/eventually.ts";
import {
    ACTIVE,
    ask,
    begin,
    CANDIDATE,
    JUDGEMENT,
    startBuild,
    startModels,
    buildsAt,
    type QuarantineRecord,
} from "../support/release.ts";
import { MODEL, type Service } from "../support/service.ts";
import { setUpRedis } from "../support/setUp.ts";

const WRITER = "0123456789abcdef";
const ORDER = { ...JUDGEMENT, release: "one" };

const models = setUp(startModels, (one) => one.stop());
const redis = setUpRedis();

const active = setUp(
    () => startBuild(ACTIVE, models.honest, { REDIS_URL: redis.url.href }),
    (one) => one.stop(),
);
const candidate = setUp(
    () => startBuild(CANDIDATE, models.lying, { REDIS_URL: redis.url.href }),
    (one) => one.stop(),
);
const admin = adminOf(active);

/** Each test has its own build: the pods would restore records that are removed from Redis. */
let buildId: string;
let builds = 0;
beforeEach(() => {
    builds += 1;
    buildId = String(builds).padStart(16, "0");
});

const put = (body: object, path = ADMIN_PATHS.quarantine(buildId)) => admin("PUT", path, body);

describe("GET /builds", () => {
    test("returns the pod's own build ID, which its entries contain", async () => {
        const { own, upToDate } = await buildsAt(candidate);
        expect(upToDate).toBe(true);
        expect(own).toEqual({
            buildId: expect.stringMatching(/^[0-9a-f]{16}$/),
            colour: "green",
            version: "v2.0.0",
            provider: "openai",
            model: MODEL,
            revision: expect.any(String),
        });
        expect((await buildsAt(active)).own.buildId).not.toBe(own.buildId);
        await ask(candidate, ["a text"]);
        const seen = () => adminOf(candidate)("POST", "/entries/inspect", { input: "a text" });
        await eventually("it is stored", async () => {
            const { redis } = (await seen()).json as { redis: { buildId?: string } };
            return redis.buildId === own.buildId;
        });
    });
});

describe("A request", () => {
    test("quarantines a build, and the same release again changes nothing", async () => {
        const answer = await put(ORDER);
        expect([answer.status, answer.json]).toEqual([
            200,
            {
                buildId,
                state: "quarantined",
                ...ORDER,
                changedAt: expect.stringMatching(/Z$/),
                since: "1970-01-01T00:00:00.000Z",
                rejected: [],
                expiresAt: expect.stringMatching(/Z$/),
                propagationMilliseconds: QUARANTINE_PROPAGATION_MILLISECONDS,
            },
        ]);
        const again = (await put(ORDER)).json as QuarantineRecord;
        expect({ ...again, expiresAt: "" }).toEqual({
            ...(answer.json as QuarantineRecord),
            expiresAt: "",
        });
        const { records } = await buildsAt(active);
        expect(records.find((one) => one.buildId === buildId)).toMatchObject({
            state: "quarantined",
        });
    });

    test("of another release starts a new quarantine: earlier entries are rejected", async () => {
        await put(ORDER);
        const { json } = await put({ ...ORDER, release: "two" });
        const { since, rejected } = json as QuarantineRecord;
        expect(rejected).toEqual([{ from: "1970-01-01T00:00:00.000Z", to: since }]);
    });

    test("at two pods concurrently is based on the result of the first one", async () => {
        const many = Array.from({ length: 20 }, (_, n) =>
            ADMIN_PATHS.quarantine(`${buildId.slice(2)}${10 + n}`),
        );
        const failed = await Promise.all(
            many.map(async (path) => {
                const answers = await Promise.all([
                    admin("PUT", path, ORDER),
                    adminOf(candidate)("PUT", path, { ...ORDER, release: "two" }),
                ]);
                return answers.flatMap(({ json }) => (json as QuarantineRecord).rejected);
            }),
        );
        // Or twice: a request whose response was lost on a busy machine is repeated after the other one.
        for (const { length } of failed) expect([1, 2, 3]).toContain(length);
    });

    test("promotes the build of its release, and can quarantine it again", async () => {
        await put(ORDER);
        const promotion = ADMIN_PATHS.promotion(buildId);
        const other = await put({ ...ORDER, release: "two" }, promotion);
        expectRefusal(other, 409, {
            ...{ code: "release_mismatch", param: "release" },
            message: 'release does not match: the build is quarantined by the release "one"',
        });
        expect((await put(ORDER, promotion)).json).toMatchObject({
            state: "promoted",
            rejected: [],
        });
        expect((await put(ORDER, promotion)).status).toBe(200);
        const again = (await put(ORDER)).json as QuarantineRecord;
        expect(again).toMatchObject({ state: "quarantined", rejected: [] });
        expect(Date.parse(again.since)).toBeGreaterThan(Date.now() - 60_000);
    });

    test("may reach back to a time in the past, and to no other", async () => {
        await put(ORDER, ADMIN_PATHS.promotion(buildId));
        const since = "2026-01-01T00:00:00.000Z";
        expect((await put({ ...ORDER, since })).json).toMatchObject({ since });
        const late = await put({ ...ORDER, since: "2999-01-01T00:00:00.000Z" });
        expectRefusal(
            late,
            400,
            'since is "2999-01-01T00:00:00.000Z"; allowed: a time in the past',
        );
    });

    test.each([
        [{}, "release is missing; actor is missing; reason is missing"],
        [{ ...ORDER, reason: "" }, /^reason is "", but must NOT have fewer than 1/],
        [{ ...ORDER, since: "soon" }, /^since is "soon", but must match format "date-time"/],
        [{ ...ORDER, until: 1 }, /^until is unknown; allowed: release, actor, reason/],
    ])("with %j is rejected with its field", async (body, words) => {
        const answer = await put(body);
        expectRefusal(answer, 400, words);
    });

    test("for an invalid build ID is rejected", async () => {
        const answer = await put(ORDER, ADMIN_PATHS.quarantine("v2.0.0"));
        expectRefusal(answer, 400, /^buildId is "v2.0.0", but must match pattern/);
    });

    test("while Redis is unavailable is rejected, and nothing is done", async () => {
        redis.pause();
        const answers = [await put(ORDER), await put(ORDER, ADMIN_PATHS.promotion(buildId))];
        redis.resume();
        for (const answer of answers) {
            expectRefusal(answer, 503, "Redis is unavailable; retry");
            expect(answer.headers.get("retry-after")).toBe("1");
        }
        const { records } = await buildsAt(active);
        expect(records.filter((one) => one.buildId === buildId)).toEqual([]);
    });

    test("at a pod without Redis is rejected: it shares no entries", async () => {
        const alone = await startBuild(ACTIVE, models.honest, {});
        const answer = await adminOf(alone)("PUT", ADMIN_PATHS.quarantine(WRITER), ORDER);
        expectRefusal(answer, 409, { code: "no_redis" });
        expect(await buildsAt(alone)).toMatchObject({ upToDate: true, records: [] });
        await alone.stop();
    });
});

describe("An entry of a quarantined build", () => {
    test("is reported as skipped, and is neither exported nor imported", async () => {
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
        expect(await inspect()).toBe("skipped");
        await eventually("the candidate knows", async () => {
            const { own, records } = await buildsAt(candidate);
            return records.some((one) => one.buildId === own.buildId);
        });
        for (const pod of [active, candidate]) expect(await exported(pod)).toHaveLength(2);
        const body = before.join("\n");
        const type = { "content-type": "application/x-ndjson" };
        const { json } = await admin("POST", "/import", body, type);
        expect(json).toMatchObject({
            written: 0,
            skipped: 0,
            rejected: before.length - 2,
            errors: expect.arrayContaining([
                { line: 2, error: "its build is quarantined, or was when it was created" },
            ]),
        });
    });
});
