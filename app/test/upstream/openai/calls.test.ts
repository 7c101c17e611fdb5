import { describe, expect, jest, test } from "@jest/globals";
import { pino } from "pino";
import { estimateTokens } from "../../../src/upstream/estimateTokens.ts";
import { PROBE } from "../../../src/upstream/openai/endpoint.ts";
import { createOpenaiUpstream } from "../../../src/upstream/openai/openai.ts";
import { embedAll, outcomesOf } from "../../support/embedAll.ts";
import { eventually } from "../../support/eventually.ts";
import { reply, rightAnswer, type StubRequest, type Turn } from "../../support/stubUpstream.ts";
import { createContext } from "../../support/requestContext.ts";
import { trueVector } from "../../support/vectors.ts";
import {
    always,
    ATTEMPT_MILLISECONDS,
    embed,
    embedOne,
    expectRight,
    inputs,
    log,
    replaceUpstream,
    stub,
    texts,
    TOTAL_MILLISECONDS,
    upstream,
    useStubUpstream,
} from "../../support/openaiUpstream.ts";

useStubUpstream();

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
        await replaceUpstream({ attemptTimeoutMilliseconds: ATTEMPT_MILLISECONDS });
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
        await replaceUpstream({ attemptTimeoutMilliseconds: 100 });
        stub.misbehave(...Array<() => void>(4).fill(() => undefined));
        await expect(embedOne()).rejects.toMatchObject({ status: 504 });
    });

    test("with less time left than an attempt's timeout gives a 504 in that time", async () => {
        stub.misbehave(() => undefined);
        const begun = performance.now();
        const left = 120.5;
        await expect(embedAll(upstream, inputs, createContext(left))).rejects.toMatchObject({
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
        const halfOpenAfterMilliseconds = 2_000;
        const resting = createOpenaiUpstream({
            url: stub.url,
            apiKey: "a-key",
            model: "stub-model",
            firstRetryDelayMilliseconds: 1,
            halfOpenAfterMilliseconds,
            log,
        });
        const ask = () => embedAll(resting, inputs, createContext(TOTAL_MILLISECONDS));
        stub.misbehave(...Array<Turn>(5).fill((_, response) => void response.destroy()));
        await expect(ask()).rejects.toMatchObject({ code: "upstream_unreachable" });
        await expect(ask()).rejects.toMatchObject({ code: "upstream_unavailable" });
        const clock = jest.spyOn(Date, "now").mockReturnValue(Date.now() - 3_600_000);
        const requestsBefore = stub.requests.length;
        await eventually("it is tried", async () => (await ask().catch(() => [])).length > 0);
        expect(stub.requests.length).toBe(requestsBefore + 1);
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
        const outcomes = await outcomesOf(upstream, inputs, createContext(TOTAL_MILLISECONDS));
        for (const [at, outcome] of outcomes.entries()) {
            if (at === 2 && !isAloneRight) {
                expect(outcome).toMatchObject({ status: 503, code: "bad_upstream_response" });
            } else expect(outcome).toMatchObject({ vector: trueVector(texts[at] ?? "") });
        }
    });
});

describe("tokens that no text can have", () => {
    test.each<[unknown, number]>([
        [1e15, 1],
        [600, 1],
        [-3, 0],
        [2.5, 0],
        ["7", 0],
    ])(
        "such as %j are estimated instead, and what is above the bound is logged",
        async (usage, warnings) => {
            const write = jest.fn();
            await replaceUpstream({ log: pino({ level: "warn" }, { write }) });
            always((request, response) => {
                const { data } = rightAnswer(request);
                reply(response, 200, {
                    data,
                    usage: { prompt_tokens: usage, total_tokens: usage },
                });
            });
            for (let n = 0; n < 2; n += 1)
                expect(await embedOne()).toMatchObject([
                    { tokens: estimateTokens(texts[0] ?? "") },
                ]);
            expect(write).toHaveBeenCalledTimes(warnings);
        },
    );
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
            const outcomes = await outcomesOf(upstream, bad, createContext(TOTAL_MILLISECONDS));
            expect(outcomes[0]).toMatchObject({ vector: trueVector(texts[0] ?? "") });
            expect(outcomes[1]).toMatchObject({ status: 503, code: "upstream_error" });
            const alone = embedAll(upstream, bad.slice(1), createContext(TOTAL_MILLISECONDS));
            await expect(alone).rejects.toMatchObject({ code: "upstream_error" });
        }
        expect(upstream.state()).toMatchObject({ endpoints: [{ breaker: "closed" }] });
    });
});

describe("several calls in a row that time out", () => {
    const count = 16;
    const hang: Turn = () => undefined;
    const short = Array.from({ length: count }, (_, n) => `text ${n}`);
    const long = short.map((text) => text.padEnd(8_000, " word"));

    function ask(list: readonly string[], milliseconds = TOTAL_MILLISECONDS) {
        const inputs = list.map((text) => ({ kind: "text", text }) as const);
        return outcomesOf(upstream, inputs, createContext(milliseconds));
    }

    test.each([
        ["of several texts", short, 2],
        ["of one long text each", long, 1],
    ])("%s do not block an endpoint that answers small ones", async (_, list, batchSize) => {
        const probes: number[] = [];
        await replaceUpstream({
            batchSize,
            attemptTimeoutMilliseconds: ATTEMPT_MILLISECONDS,
            onProbe: (tokens) => probes.push(tokens),
        });
        always((request, response) => {
            const isLarge = request.input.length > 1 || (request.input[0]?.length ?? 0) > 4_096;
            if (!isLarge) reply(response, 200, rightAnswer(request));
        });
        await ask(list, 1.5 * ATTEMPT_MILLISECONDS);
        const isProbe = ({ input }: StubRequest) => input[0] === PROBE.text;
        await eventually("the endpoint is probed", () => stub.requests.some(isProbe));
        const [visitors] = await ask(["a visitor's text"]);
        expect(visitors).toMatchObject({ vector: trueVector("a visitor's text") });
        expect(upstream.state()).toMatchObject({ endpoints: [{ breaker: "closed" }] });
        const billed = stub.requests.filter(isProbe).map((one) => rightAnswer(one).usage);
        expect(probes).toEqual(billed.map(({ total_tokens: tokens }) => tokens));
    });

    test("block an endpoint that answers no small ones either", async () => {
        const attemptTimeoutMilliseconds = 100;
        const halfOpenAfterMilliseconds = 60_000;
        await replaceUpstream({
            batchSize: 2,
            attemptTimeoutMilliseconds,
            halfOpenAfterMilliseconds,
        });
        always(hang);
        await ask(short, attemptTimeoutMilliseconds);
        await eventually("the breaker has opened", () =>
            JSON.stringify(upstream.state()).includes('"breaker":"open"'),
        );
    });
});

describe("the revision", () => {
    test("is the host and path unless the configuration sets it", () => {
        expect(upstream.revision).toBe(`${stub.url.host}/v1`);
        const named = createOpenaiUpstream({
            url: stub.url,
            apiKey: undefined,
            model: "stub-model",
            revision: "2026-01",
            log,
        });
        expect(named.revision).toBe("2026-01");
    });
});
