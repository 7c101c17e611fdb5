import { afterEach, beforeEach, describe, expect, jest, test } from "@jest/globals";
import { pino } from "pino";

import type { Input } from "../src/input.ts";
import { divide } from "../src/upstream/openai/answer.ts";
import { openaiUpstream } from "../src/upstream/openai/openai.ts";
import { parseRetryAfter } from "../src/upstream/openai/retry.ts";
import type { Upstream } from "../src/upstream/upstream.ts";
import { eventually } from "./support/eventually.ts";
import {
    reply,
    rightAnswer,
    startStubUpstream,
    type StubRequest,
    type StubUpstream,
    type Turn,
} from "./support/stubUpstream.ts";
import { scopeFor } from "./support/scope.ts";
import { trueTokens, trueVector } from "./support/vectors.ts";

const log = pino({ level: "silent" });

let stub: StubUpstream;
let upstream: Upstream;

beforeEach(async () => {
    stub = await startStubUpstream();
    upstream = openaiUpstream({
        url: stub.url,
        apiKey: "a-key",
        model: "stub-model",
        attemptTimeoutMilliseconds: 300,
        firstRetryDelayMilliseconds: 1,
        log,
    });
});

afterEach(async () => {
    await upstream.close();
    await stub.stop();
});

const texts = ["one", "two words", "three words here"];
const inputs: readonly Input[] = texts.map((text) => ({ kind: "text", text }));
const TOTAL_MILLISECONDS = 3_000;
const embed = () => upstream.embed(inputs, scopeFor(TOTAL_MILLISECONDS));

async function expectRight(): Promise<void> {
    const embeddings = await embed();
    expect(embeddings.map(({ vector }) => vector)).toEqual(texts.map((text) => trueVector(text)));
    const tokens = embeddings.reduce((sum, embedding) => sum + embedding.tokens, 0);
    expect(tokens).toBe(texts.reduce((sum, text) => sum + trueTokens(text), 0));
}

describe("an OpenAI-compatible API", () => {
    test("is asked once for a batch, in base64, with its key", async () => {
        await expectRight();
        expect(stub.requests).toEqual([
            { model: "stub-model", input: texts, encoding_format: "base64" },
        ]);
        expect(stub.headers[0]?.authorization).toBe("Bearer a-key");
    });

    test("that answers out of order is put in order by index", async () => {
        stub.misbehave((request, response) => {
            const answer = rightAnswer(request);
            reply(response, 200, { ...answer, data: answer.data.toReversed() });
        });
        await expectRight();
        expect(stub.requests).toHaveLength(1);
    });

    test("that ignores base64 or refuses it is understood all the same", async () => {
        stub.misbehave((request, response) =>
            reply(response, 200, rightAnswer({ ...request, encoding_format: "float" })),
        );
        await expectRight();
        stub.misbehave((_, response) =>
            reply(response, 400, { error: { message: "unknown encoding_format" } }),
        );
        await expectRight();
        await expectRight();
        expect(stub.requests.map((request) => request.encoding_format)).toEqual([
            "base64",
            "base64",
            "float",
            "float",
        ]);
    });

    test.each<[string, number, Record<string, string>]>([
        ["500", 500, {}],
        ["429", 429, { "retry-after": "0" }],
        ["408", 408, {}],
    ])("is tried again after %s", async (_name, status, headers) => {
        stub.misbehave((_, response) => reply(response, status, "busy", headers));
        await expectRight();
        expect(stub.requests).toHaveLength(2);
    });

    test("is tried again after a hang, half an answer and a cut connection", async () => {
        stub.misbehave(
            () => undefined,
            (_, response) => reply(response, 200, '{"data":[{"index":0'),
            (_, response) => response.destroy(),
        );
        await expectRight();
        expect(stub.requests).toHaveLength(4);
    });

    test("that stays at its limit gives a 429 with its Retry-After", async () => {
        stub.misbehave((_, response) => reply(response, 429, "busy", { "retry-after": "60" }));
        await expect(embed()).rejects.toMatchObject({ status: 429, retryAfterSeconds: 60 });
        expect(stub.requests).toHaveLength(1);
    });

    test("that hangs for good gives a 504", async () => {
        stub.misbehave(...Array<() => void>(4).fill(() => undefined));
        await expect(embed()).rejects.toMatchObject({ status: 504 });
    });

    test("with less time left than an attempt may take gives a 504 in that time", async () => {
        stub.misbehave(() => undefined);
        const begun = performance.now();
        const left = 120.5;
        await expect(upstream.embed(inputs, scopeFor(left))).rejects.toMatchObject({ status: 504 });
        expect(performance.now() - begun).toBeGreaterThanOrEqual(left - 1);
    });

    test("that is gone gives a 503, and is left alone after five failures", async () => {
        await stub.stop();
        await expect(embed()).rejects.toMatchObject({ status: 503, code: "upstream_unreachable" });
        await expect(embed()).rejects.toMatchObject({ status: 503, code: "upstream_unavailable" });
    });

    test("that was left alone is tried by one call at a time, whatever the system's clock does", async () => {
        const halfOpenAfterMilliseconds = 60;
        const resting = openaiUpstream({
            url: stub.url,
            apiKey: "a-key",
            model: "stub-model",
            firstRetryDelayMilliseconds: 1,
            halfOpenAfterMilliseconds,
            log,
        });
        const ask = () => resting.embed(inputs, scopeFor(TOTAL_MILLISECONDS));
        stub.misbehave(...Array<Turn>(5).fill((_, response) => reply(response, 500, "broken")));
        await expect(ask()).rejects.toMatchObject({ code: "upstream_error" });
        await expect(ask()).rejects.toMatchObject({ code: "upstream_unavailable" });
        const clock = jest.spyOn(Date, "now").mockReturnValue(Date.now() - 3_600_000);
        const asked = stub.requests.length;
        await eventually("it is tried", async () => (await ask().catch(() => [])).length > 0);
        expect(stub.requests.length).toBe(asked + 1);
        clock.mockRestore();
        await resting.close();
    });

    test("that refuses our key does not blame the client, and is not tried again", async () => {
        stub.misbehave((_, response) => reply(response, 401, { error: { message: "bad key" } }));
        await expect(embed()).rejects.toMatchObject({
            status: 503,
            message: "The upstream refused this service's request (401)",
        });
        expect(stub.requests).toHaveLength(1);
    });

    test.each([
        ["a vector too few", { take: 2 }],
        ["an index twice", { index: 0 }],
        ["an index out of range", { index: 7 }],
        ["a NaN", { embedding: [...trueVector("x").slice(1), null] }],
        ["a zero vector", { embedding: Array<number>(16).fill(0) }],
        ["a short vector", { embedding: [0.5, 0.5] }],
        ["an empty vector", { embedding: [] }],
        ["no vector", { embedding: 7 }],
    ])("that answers with %s is not believed", async (_, change) => {
        const turn = (request: StubRequest): unknown => {
            const { data, usage } = rightAnswer(request);
            if ("take" in change) return { data: data.slice(0, change.take), usage };
            return {
                data: data.map((item, n) => (n === 2 ? { ...item, ...change } : item)),
                usage,
            };
        };
        const wrong: Turn = (request, response) => reply(response, 200, turn(request));
        stub.misbehave(wrong, wrong, wrong, wrong);
        await expect(embed()).rejects.toMatchObject({ status: 503, code: "bad_upstream_answer" });
        await expectRight();
    });
});

describe("the parts of a bill", () => {
    test("are whole and sum to it exactly", () => {
        expect(divide(10, [1, 1, 1])).toEqual([4, 3, 3]);
        expect(divide(0, [5, 5])).toEqual([0, 0]);
        const parts = divide(1_000_003, [3, 17, 1, 999, 45]);
        expect(parts.reduce((a, b) => a + b, 0)).toBe(1_000_003);
        expect(parts.every(Number.isInteger)).toBe(true);
    });
});

describe("Retry-After", () => {
    test("is seconds or a date; anything else is nothing", () => {
        const now = Date.UTC(2026, 0, 1);
        expect(parseRetryAfter("2", now)).toBe(2_000);
        expect(parseRetryAfter(new Date(now + 5_000).toUTCString(), now)).toBe(5_000);
        expect(parseRetryAfter(new Date(now - 5_000).toUTCString(), now)).toBe(0);
        expect(parseRetryAfter("soon", now)).toBeUndefined();
        expect(parseRetryAfter(undefined, now)).toBeUndefined();
    });
});

describe("a fallback", () => {
    let other: StubUpstream;
    let both: Upstream;

    beforeEach(async () => {
        other = await startStubUpstream();
        both = openaiUpstream({
            url: stub.url,
            fallbackUrls: [other.url],
            apiKey: "a-key",
            model: "stub-model",
            attemptTimeoutMilliseconds: 300,
            firstRetryDelayMilliseconds: 1,
            halfOpenAfterMilliseconds: 50,
            log,
        });
    });

    afterEach(async () => {
        await both.close();
        await other.stop();
    });

    const ask = async (): Promise<unknown> =>
        (await both.embed(inputs, scopeFor())).map(({ vector }) => vector);
    const right = texts.map((text) => trueVector(text));
    const broken: Turn = (_, response) => reply(response, 500, "broken");
    const breakFor = (turns: number): void => stub.misbehave(...Array<Turn>(turns).fill(broken));

    test("that gave the primary's vector answers while the primary fails, and no longer", async () => {
        await both.start();
        await eventually("both were asked for the probe", () => other.requests.length === 1);
        await ask();
        expect(other.requests).toHaveLength(1);
        breakFor(20);
        for (let n = 0; n < 8; n += 1) expect(await ask()).toEqual(right);
        expect(stub.requests.length).toBeLessThan(2 + 8);
        stub.misbehave();
        await eventually("the primary is asked again", async () => {
            const before = other.requests.length;
            expect(await ask()).toEqual(right);
            return other.requests.length === before;
        });
    });

    test("with other vectors is never asked", async () => {
        other.misbehave((request, response) => {
            const answer = rightAnswer({ ...request, input: ["something else"] });
            reply(response, 200, answer);
        });
        await both.start();
        await eventually("it was asked for the probe", () => other.requests.length === 1);
        breakFor(4);
        await expect(ask()).rejects.toMatchObject({ status: 503 });
        expect(other.requests).toHaveLength(1);
    });
});

describe("the revision", () => {
    test("is the host and path unless the configuration names it", () => {
        expect(upstream.revision).toBe(`${stub.url.host}/v1`);
        const named = openaiUpstream({
            url: stub.url,
            apiKey: undefined,
            model: "stub-model",
            revision: "2026-01",
            log,
        });
        expect(named.revision).toBe("2026-01");
    });
});
