import { afterEach, beforeEach, describe, expect, jest, test } from "@jest/globals";
import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib";

import { pino } from "pino";

import type { Input } from "../../src/input.ts";
import { divide } from "../../src/upstream/openai/response.ts";
import { openaiUpstream } from "../../src/upstream/openai/openai.ts";
import { parseRetryAfter, readRetryAfter } from "../../src/upstream/openai/retry.ts";
import { UpstreamError, type Upstream } from "../../src/upstream/upstream.ts";
import { createEmbedding, type Embedding } from "../../src/vector/embedding.ts";
import { embedAll, outcomesOf } from "../support/embedAll.ts";
import { eventually } from "../support/eventually.ts";
import {
    reply,
    rightAnswer,
    startStubUpstream,
    type StubRequest,
    type StubUpstream,
    type Turn,
} from "../support/stubUpstream.ts";
import { scopeFor } from "../support/requestContext.ts";
import { trueTokens, trueVector } from "../support/vectors.ts";

const log = pino({ level: "silent" });

let stub: StubUpstream;
let upstream: Upstream;

beforeEach(async () => {
    stub = await startStubUpstream();
    upstream = openaiUpstream({
        url: stub.url,
        apiKey: "a-key",
        model: "stub-model",
        attemptTimeoutMilliseconds: ATTEMPT_MILLISECONDS,
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
/** Long enough for a busy machine: a late attempt would be retried. */
const ATTEMPT_MILLISECONDS = 800;
const TOTAL_MILLISECONDS = 8_000;
const embed = () => embedAll(upstream, inputs, scopeFor(TOTAL_MILLISECONDS));
/** A single input cannot be bisected: it is retried as a whole. */
const embedOne = () => embedAll(upstream, inputs.slice(0, 1), scopeFor(TOTAL_MILLISECONDS));

async function expectRight(): Promise<void> {
    const embeddings = await embed();
    expect(embeddings.map(({ vector }) => vector)).toEqual(texts.map((text) => trueVector(text)));
    const tokens = embeddings.reduce((sum, embedding) => sum + embedding.tokens, 0);
    expect(tokens).toBe(texts.reduce((sum, text) => sum + trueTokens(text), 0));
}

describe("an OpenAI-compatible API", () => {
    test("gets one call for a batch, in base64, with its key", async () => {
        await expectRight();
        expect(stub.requests).toEqual([
            { model: "stub-model", input: texts, encoding_format: "base64" },
        ]);
        expect(stub.headers[0]?.authorization).toBe("Bearer a-key");
    });

    test("that responds out of order is sorted by index", async () => {
        stub.misbehave((request, response) => {
            const answer = rightAnswer(request);
            reply(response, 200, { ...answer, data: answer.data.toReversed() });
        });
        await expectRight();
        expect(stub.requests).toHaveLength(1);
    });

    test("that ignores or rejects base64 is supported anyway", async () => {
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
    ])("is retried after %s", async (_name, status, headers) => {
        stub.misbehave((_, response) => reply(response, status, "busy", headers));
        await expectRight();
        expect(stub.requests).toHaveLength(2);
    });

    test("is retried after a hang, a truncated response and a lost connection", async () => {
        stub.misbehave(
            () => undefined,
            (_, response) => reply(response, 200, '{"data":[{"index":0'),
            (_, response) => response.destroy(),
        );
        const [embedding] = await embedOne();
        expect(embedding?.vector).toEqual(trueVector(texts[0] ?? ""));
        expect(stub.requests).toHaveLength(4);
    });

    test("that stays at its limit gives a 429 with its Retry-After", async () => {
        stub.misbehave((_, response) => reply(response, 429, "busy", { "retry-after": "60" }));
        await expect(embed()).rejects.toMatchObject({ status: 429, retryAfterSeconds: 60 });
        expect(stub.requests).toHaveLength(1);
    });

    test("that hangs permanently gives a 504", async () => {
        stub.misbehave(...Array<() => void>(4).fill(() => undefined));
        await expect(embedOne()).rejects.toMatchObject({ status: 504 });
    });

    test("with less time left than an attempt's timeout gives a 504 in that time", async () => {
        stub.misbehave(() => undefined);
        const begun = performance.now();
        const left = 120.5;
        await expect(embedAll(upstream, inputs, scopeFor(left))).rejects.toMatchObject({
            status: 504,
        });
        expect(performance.now() - begun).toBeGreaterThanOrEqual(left - 1);
    });

    test("that is unavailable gives a 503, and gets no calls after five failures", async () => {
        await stub.stop();
        await expect(embed()).rejects.toMatchObject({ status: 503, code: "upstream_unreachable" });
        await expect(embed()).rejects.toMatchObject({ status: 503, code: "upstream_unavailable" });
    });

    test("with an open breaker gets one call at a time, despite steps of the system clock", async () => {
        const halfOpenAfterMilliseconds = 60;
        const resting = openaiUpstream({
            url: stub.url,
            apiKey: "a-key",
            model: "stub-model",
            firstRetryDelayMilliseconds: 1,
            halfOpenAfterMilliseconds,
            log,
        });
        const ask = () => embedAll(resting, inputs, scopeFor(TOTAL_MILLISECONDS));
        stub.misbehave(...Array<Turn>(5).fill((_, response) => void response.destroy()));
        await expect(ask()).rejects.toMatchObject({ code: "upstream_unreachable" });
        await expect(ask()).rejects.toMatchObject({ code: "upstream_unavailable" });
        const clock = jest.spyOn(Date, "now").mockReturnValue(Date.now() - 3_600_000);
        const asked = stub.requests.length;
        await eventually("it is tried", async () => (await ask().catch(() => [])).length > 0);
        expect(stub.requests.length).toBe(asked + 1);
        clock.mockRestore();
        await resting.close();
    });

    test("that rejects our key does not blame the client, and is not retried", async () => {
        stub.misbehave((_, response) => reply(response, 401, { error: { message: "bad key" } }));
        await expect(embed()).rejects.toMatchObject({
            status: 503,
            code: "upstream_rejected",
            message: "The upstream rejected this service's request (401)",
        });
        expect(stub.requests).toHaveLength(1);
    });

    test.each([
        ["a vector too few", { take: 0 }],
        ["an index twice", { index: 0 }],
        ["an index out of range", { index: 7 }],
        ["a NaN", { embedding: [...trueVector("x").slice(1), null] }],
        ["a zero vector", { embedding: Array<number>(16).fill(0) }],
        ["a short vector", { embedding: [0.6, 0.8] }],
        ["an empty vector", { embedding: [] }],
        ["no vector", { embedding: 7 }],
    ])("that returns %s for one text is not believed, and the others are", async (_, change) => {
        await embed();
        const bad = texts[2] ?? "";
        const wrong: Turn = (request, response) => {
            const { data, usage } = rightAnswer(request);
            const spoilt = data.flatMap((item, at) => {
                if (request.input[at] !== bad) return [item];
                return "take" in change ? [] : [{ ...item, ...change }];
            });
            reply(response, 200, { data: spoilt, usage });
        };
        // An index of 0 is correct for a single text.
        const isAloneRight = "index" in change && change.index === 0;
        stub.misbehave(...Array<Turn>(12).fill(wrong));
        const outcomes = await outcomesOf(upstream, inputs, scopeFor(TOTAL_MILLISECONDS));
        for (const [at, outcome] of outcomes.entries()) {
            if (at === 2 && !isAloneRight) {
                expect(outcome).toMatchObject({ status: 503, code: "bad_upstream_response" });
            } else expect(outcome).toMatchObject({ vector: trueVector(texts[at] ?? "") });
        }
    });
});

const always = (turn: Turn): void => {
    stub.always = turn;
};
const encodings = (): unknown[] => stub.requests.map(({ encoding_format: name }) => name);

describe("an API without base64", () => {
    test.each<[string, number, unknown]>([
        ["by vLLM's words", 400, { message: "base64 encoding is not currently supported" }],
        ["without a word", 400, { errorMessage: "Unreadable", errorCode: "PROXY_READ_ERROR" }],
        ["with 422", 422, { detail: [{ loc: ["body", "encoding_format"], msg: "unexpected" }] }],
        ["with 500", 500, { error: { message: "encoding_format is not supported" } }],
        ["with 501", 501, { error: { message: "no" } }],
    ])("%s gets a request for numbers immediately, and from then on", async (_, status, body) => {
        always((request, response) =>
            request.encoding_format === "base64"
                ? reply(response, status, body)
                : reply(response, 200, rightAnswer(request)),
        );
        await expectRight();
        await expectRight();
        expect(encodings()).toEqual(["base64", "float", "float"]);
    });

    test("and without such a field does not receive it", async () => {
        always((request, response) =>
            "encoding_format" in request
                ? reply(response, 400, { detail: "extra fields not permitted: encoding_format" })
                : reply(
                      response,
                      200,
                      rightAnswer(Object.assign(request, { encoding_format: "float" })),
                  ),
        );
        await expectRight();
        expect(stub.requests).toHaveLength(3);
        await expectRight();
        expect(stub.requests).toHaveLength(4);
    });

    const base64 = (bytes: Buffer): string => bytes.toString("base64");
    test.each<[string, (vector: Float32Array<ArrayBuffer>) => string]>([
        ["base64 of float64", (v) => base64(Buffer.from(Float64Array.from(v).buffer))],
        ["base64 that was cut", (v) => base64(Buffer.from(v.buffer, 0, 30))],
        ["base64 that was cut between two numbers", (v) => base64(Buffer.from(v.buffer, 0, 32))],
        ["a list in a string", (v) => JSON.stringify([...v])],
        ["numbers with commas", (v) => v.join(",")],
        ["hex", (v) => Buffer.from(v.buffer).toString("hex")],
        ["a data URL", (v) => `data:;base64,${base64(Buffer.from(v.buffer))}`],
    ])("but %s gets a request for numbers, and is never believed", async (_, write) => {
        const odd = (request: StubRequest): unknown => {
            const answer = rightAnswer(request);
            return {
                ...answer,
                data: answer.data.map((item, at) => ({
                    ...item,
                    embedding: write(trueVector(String(request.input[at]))),
                })),
            };
        };
        always((request, response) =>
            reply(
                response,
                200,
                request.encoding_format === "base64" ? odd(request) : rightAnswer(request),
            ),
        );
        const first = await embed();
        expect(first.map(({ vector }) => vector)).toEqual(texts.map((text) => trueVector(text)));
        await expectRight();
        // A vector that is always truncated at the same place looks like another model's.
        if (write(trueVector("x")).length === 44) return;
        const other = openaiUpstream({
            url: stub.url,
            apiKey: "k",
            model: "m",
            firstRetryDelayMilliseconds: 1,
            log,
        });
        always((request, response) => reply(response, 200, odd(request)));
        const outcomes = await outcomesOf(other, inputs.slice(0, 1), scopeFor(TOTAL_MILLISECONDS));
        expect(outcomes).toMatchObject([{ status: 503, code: "bad_upstream_response" }]);
        await other.close();
    });

    test("is not confused with one that quotes a client's text in an error", async () => {
        const quoting: Turn = ({ input }, response) =>
            reply(response, 422, { error: { message: `unusable: ${String(input[0])}` } });
        await expectRight();
        stub.misbehave(quoting);
        const refused = embedAll(upstream, [{ kind: "text", text: "encoding_format" }], scopeFor());
        await expect(refused).rejects.toMatchObject({ status: 400 });
        await expectRight();
        expect(new Set(encodings())).toEqual(new Set(["base64"]));
    });
});

describe("vectors of a model with unknown dimensions", () => {
    const asLength =
        (length: number): Turn =>
        (request, response) =>
            reply(response, 200, rightAnswer(request, { dimensions: length }));
    const lengthOf = async (text: string): Promise<unknown> => {
        const outcome = (await outcomesOf(upstream, [{ kind: "text", text }], scopeFor()))[0];
        return outcome instanceof UpstreamError ? outcome.code : outcome?.vector.length;
    };

    test("that are not of unit length are requested twice, once", async () => {
        const scaled: Turn = (request, response) => {
            const vectorOf: typeof trueVector = (text, dimensions) =>
                trueVector(text, dimensions).map((value) => value * 20);
            reply(response, 200, rightAnswer(request, { vectorOf }));
        };
        always(scaled);
        const [one] = await embedOne();
        expect(one?.vector).toEqual(trueVector(texts[0] ?? "").map((value) => value * 20));
        await embedOne();
        expect(encodings()).toEqual(["base64", "float", "base64"]);
        // Both responses were billed.
        expect(one?.tokens).toBe(2 * trueTokens(texts[0] ?? ""));
    });

    test("that were truncated in the first response decide nothing", async () => {
        stub.misbehave((request, response) => {
            const { data, usage } = rightAnswer({ ...request, encoding_format: "float" });
            const cut = data.map((item) => ({ ...item, embedding: item.embedding.slice(0, 4) }));
            reply(response, 200, { data: cut, usage });
        });
        expect(await lengthOf("first")).toBe(16);
        expect(await lengthOf("second")).toBe(16);
    });

    test("that change at some point are accepted when several texts agree", async () => {
        const wrong: ((embedding: Embedding) => boolean)[] = [];
        await upstream.close();
        upstream = openaiUpstream({
            url: stub.url,
            apiKey: "a-key",
            model: "stub-model",
            firstRetryDelayMilliseconds: 1,
            onWrongModel: (isWrong) => void wrong.push(isWrong),
            log,
        });
        expect(await lengthOf("before")).toBe(16);
        always(asLength(24));
        expect(await lengthOf("one")).toBe("bad_upstream_response");
        expect(await lengthOf("one")).toBe("bad_upstream_response");
        expect(await lengthOf("two")).toBe("bad_upstream_response");
        expect(await lengthOf("three")).toBe(24);
        expect(upstream.dimensions()).toBe(24);
        const lengths = [16, 24].map((length) =>
            createEmbedding(trueVector("x", length), 1, false),
        );
        expect(wrong.map((isWrong) => lengths.map(isWrong))).toEqual([[true, false]]);
    });

    test("with other dimensions than requested are reported to the client", async () => {
        const asked = { ...scopeFor(), dimensions: 8 };
        const short: Turn = (request, response) => {
            const { model, input, encoding_format } = request;
            reply(response, 200, rightAnswer({ model, input, encoding_format }));
        };
        const other = openaiUpstream({ url: stub.url, apiKey: "k", model: "m", log });
        await embedAll(other, inputs, scopeFor());
        always(short);
        await expect(embedAll(other, inputs, asked)).rejects.toMatchObject({
            status: 400,
            code: "unsupported_dimensions",
        });
        await other.close();
    });
});

describe("an API that asks for a cooldown", () => {
    test("gets it, from all calls, until the time is over", async () => {
        stub.misbehave((_, response) => reply(response, 429, "slow", { "retry-after-ms": "150" }));
        const begun = performance.now();
        const calls = await Promise.all(
            texts.map(async (text) => {
                await embedAll(upstream, [{ kind: "text", text }], scopeFor());
                return performance.now() - begun;
            }),
        );
        for (const took of calls) expect(took).toBeGreaterThanOrEqual(149);
    });

    test("for longer than a request's deadline gets no other request", async () => {
        stub.misbehave((_, response) => reply(response, 429, "slow", { "retry-after": "30" }));
        for (let n = 0; n < 20; n += 1) {
            await expect(embedOne()).rejects.toMatchObject({
                status: 429,
                code: "rate_limit_exceeded",
            });
        }
        expect(stub.requests).toHaveLength(1);
    });

    test("because of an exhausted quota is not called four times", async () => {
        always((_, response) =>
            reply(response, 429, { error: { message: "quota", code: "insufficient_quota" } }),
        );
        for (let n = 0; n < 3; n += 1) {
            await expect(embedOne()).rejects.toMatchObject({
                status: 503,
                code: "upstream_rejected",
            });
        }
        expect(stub.requests).toHaveLength(1);
    });
});

describe("one text for which the API always fails", () => {
    test("does not block it for others", async () => {
        const poison: Turn = (request, response) =>
            request.input.includes("poison")
                ? reply(response, 500, "NaN")
                : reply(response, 200, rightAnswer(request));
        always(poison);
        const bad = [...inputs.slice(0, 1), { kind: "text", text: "poison" } as const];
        for (let n = 0; n < 4; n += 1) {
            const outcomes = await outcomesOf(upstream, bad, scopeFor(TOTAL_MILLISECONDS));
            expect(outcomes[0]).toMatchObject({ vector: trueVector(texts[0] ?? "") });
            expect(outcomes[1]).toMatchObject({ status: 503, code: "upstream_error" });
            const alone = embedAll(upstream, bad.slice(1), scopeFor(TOTAL_MILLISECONDS));
            await expect(alone).rejects.toMatchObject({ code: "upstream_error" });
        }
        expect(upstream.state()).toMatchObject({ endpoints: [{ breaker: "closed" }] });
    });
});

describe("the connection to an API", () => {
    test("may have Azure's version and key", async () => {
        const azure = openaiUpstream({
            url: new URL(`${stub.url.origin}/openai/deployments/small?api-version=2024-10-21`),
            apiKey: "an-azure-key",
            model: "m",
            log,
        });
        await embedAll(azure, inputs, scopeFor());
        await azure.close();
        expect(stub.targets).toEqual([
            "/openai/deployments/small/embeddings?api-version=2024-10-21",
        ]);
        expect(stub.headers[0]).toMatchObject({ "api-key": "an-azure-key" });
        expect(stub.headers[0]).not.toHaveProperty("authorization");
    });

    test.each([
        ["gzip", gzipSync],
        ["br", brotliCompressSync],
        ["deflate", deflateSync],
    ])("may compress by %s despite identity", async (coding, compress) => {
        stub.misbehave((request, response) => {
            response.writeHead(200, { "content-encoding": coding });
            response.end(compress(JSON.stringify(rightAnswer(request))));
        });
        const patient = openaiUpstream({ url: stub.url, apiKey: "k", model: "m", log });
        const embeddings = await embedAll(patient, inputs, scopeFor());
        await patient.close();
        expect(embeddings.map(({ vector }) => vector)).toEqual(
            texts.map((text) => trueVector(text)),
        );
        expect(stub.headers[0]).toMatchObject({ "accept-encoding": "identity" });
        expect(stub.requests).toHaveLength(1);
    });

    test("does not read a large error, in which an API quotes all inputs", async () => {
        await expectRight();
        stub.misbehave((_, response) => {
            response.writeHead(422);
            response.write(`{"detail":[{"msg":"no","input":"${"a".repeat(300_000)}`);
        });
        await expect(embedOne()).rejects.toMatchObject({
            status: 400,
            message: "The upstream rejected the input",
        });
    });

    test("does not decompress beyond the memory limit", async () => {
        const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024));
        always((_, response) => {
            response.writeHead(200, { "content-encoding": "gzip" });
            response.end(bomb);
        });
        await expect(embedOne()).rejects.toMatchObject({
            message: expect.stringContaining("larger than") as unknown,
        });
    });

    test("uses a proxy if there is one, except for excluded hosts", async () => {
        const api = await startStubUpstream();
        for (const exceptHosts of [undefined, "127.0.0.1"]) {
            const proxied = openaiUpstream({
                url: api.url,
                apiKey: "k",
                model: "m",
                proxy: { httpUrl: new URL(stub.url.origin), httpsUrl: undefined, exceptHosts },
                log,
            });
            await embedAll(proxied, inputs, scopeFor());
            await proxied.close();
        }
        await api.stop();
        expect(stub.targets).toEqual([`${api.url.href}/embeddings`]);
        expect(api.targets).toEqual(["/v1/embeddings"]);
    });
});

describe("the parts of a bill", () => {
    test("are integers and sum to it exactly", () => {
        expect(divide(10, [1, 1, 1])).toEqual([4, 3, 3]);
        expect(divide(0, [5, 5])).toEqual([0, 0]);
        const parts = divide(1_000_003, [3, 17, 1, 999, 45]);
        expect(parts.reduce((a, b) => a + b, 0)).toBe(1_000_003);
        expect(parts.every(Number.isInteger)).toBe(true);
    });
});

describe("Retry-After", () => {
    test("is seconds or a date; anything else is ignored", () => {
        const now = Date.UTC(2026, 0, 1);
        expect(parseRetryAfter("2", now)).toBe(2_000);
        expect(parseRetryAfter(new Date(now + 5_000).toUTCString(), now)).toBe(5_000);
        expect(parseRetryAfter(new Date(now - 5_000).toUTCString(), now)).toBe(0);
        for (const other of ["soon", "-5", "", "1e9"]) {
            expect(parseRetryAfter(other, now)).toBeUndefined();
        }
        expect(parseRetryAfter("99999999", now)).toBe(86_400_000);
    });

    test("in milliseconds is more precise, by the names of Azure and OpenAI", () => {
        const now = Date.now();
        expect(readRetryAfter({ "retry-after-ms": "1500", "retry-after": "2" }, now)).toBe(1_500);
        expect(readRetryAfter({ "x-ms-retry-after-ms": "20" }, now)).toBe(20);
        expect(readRetryAfter({ "retry-after-ms": "soon", "retry-after": "2" }, now)).toBe(2_000);
        expect(readRetryAfter({}, now)).toBeUndefined();
    });
});

describe("a fallback", () => {
    let other: StubUpstream;
    let both: Upstream;

    beforeEach(async () => {
        other = await startStubUpstream();
        both = openaiUpstream({
            url: stub.url,
            fallbacks: [{ url: other.url, apiKey: "another key" }],
            apiKey: "a-key",
            model: "stub-model",
            attemptTimeoutMilliseconds: ATTEMPT_MILLISECONDS,
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
        (await embedAll(both, inputs, scopeFor())).map(({ vector }) => vector);
    const right = texts.map((text) => trueVector(text));
    const broken: Turn = (_, response) => reply(response, 500, "broken");
    const breakFor = (turns: number): void => stub.misbehave(...Array<Turn>(turns).fill(broken));

    test("with the primary's vector is used while the primary fails, and no longer", async () => {
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

    test("with other vectors is never used", async () => {
        other.misbehave((request, response) => {
            const answer = rightAnswer({ ...request, input: ["something else"] });
            reply(response, 200, answer);
        });
        await both.start();
        await eventually("it was asked for the probe", () => other.requests.length === 1);
        breakFor(20);
        await expect(ask()).rejects.toMatchObject({ status: 503 });
        expect(other.requests).toHaveLength(1);
    });
});

describe("a fallback of a pod that starts while the primary is unavailable", () => {
    let other: StubUpstream;
    let kept: Float32Array | undefined;
    let wrong: ((embedding: Embedding) => boolean)[];

    beforeEach(async () => {
        other = await startStubUpstream();
        kept = undefined;
        wrong = [];
    });

    afterEach(() => other.stop());

    const both = (): Upstream =>
        openaiUpstream({
            url: stub.url,
            fallbacks: [{ url: other.url, apiKey: "the other's key" }],
            apiKey: "a-key",
            model: "stub-model",
            attemptTimeoutMilliseconds: ATTEMPT_MILLISECONDS,
            firstRetryDelayMilliseconds: 1,
            halfOpenAfterMilliseconds: 50,
            reference: {
                read: () => Promise.resolve(kept),
                write: (vector) => {
                    kept = vector;
                    return Promise.resolve();
                },
            },
            onWrongModel: (isWrong) => void wrong.push(isWrong),
            log,
        });
    const fallbackStatus = (upstream: Upstream): unknown =>
        (upstream.state().endpoints as { status?: string }[])[1]?.status;

    test("is verified by the vector that an earlier pod stored, and never gets the primary's key", async () => {
        const first = both();
        await first.start();
        await eventually("it is verified", () => fallbackStatus(first) === "verified");
        await first.close();
        expect(kept).toEqual(trueVector("Two-bedroom flat near the park, third floor, no lift."));
        always((_, response) => void response.destroy());
        const second = both();
        await second.start();
        await eventually("it is verified", () => fallbackStatus(second) === "verified");
        const [embedding] = await embedAll(second, inputs, scopeFor());
        expect(embedding?.isUnverified).toBeUndefined();
        await second.close();
        expect(new Set(other.headers.map(({ authorization }) => authorization))).toEqual(
            new Set(["Bearer the other's key"]),
        );
    });

    test("with other vectors than the stored one is not used", async () => {
        kept = trueVector("another model's");
        always((_, response) => void response.destroy());
        const upstream = both();
        await upstream.start();
        await eventually("it is rejected", () => fallbackStatus(upstream) === "rejected");
        await expect(embedAll(upstream, inputs, scopeFor())).rejects.toMatchObject({ status: 503 });
        await upstream.close();
    });

    test("is used if nothing is stored, and its vectors are not shared", async () => {
        always((_, response) => void response.destroy());
        const upstream = both();
        await upstream.start();
        await eventually("it may answer", () => fallbackStatus(upstream) === "unverified");
        const embeddings = await embedAll(upstream, inputs, scopeFor());
        expect(embeddings.map(({ vector }) => vector)).toEqual(
            texts.map((text) => trueVector(text)),
        );
        expect(embeddings.every(({ isUnverified }) => isUnverified)).toBe(true);
        await upstream.close();
    });
});

describe("the revision", () => {
    test("is the host and path unless the configuration sets it", () => {
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
