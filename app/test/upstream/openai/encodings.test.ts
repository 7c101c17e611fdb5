import { describe, expect, test } from "@jest/globals";
import { createOpenaiUpstream } from "../../../src/upstream/openai/openai.ts";
import { embedAll, outcomesOf } from "../../support/embedAll.ts";
import { reply, rightAnswer, type StubRequest, type Turn } from "../../support/stubUpstream.ts";
import { createContext } from "../../support/requestContext.ts";
import { trueVector } from "../../support/vectors.ts";
import {
    always,
    embed,
    expectRight,
    inputs,
    log,
    requestedEncodings,
    stub,
    texts,
    TOTAL_MILLISECONDS,
    upstream,
    useStubUpstream,
} from "../../support/openaiUpstream.ts";

useStubUpstream();

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
        expect(requestedEncodings()).toEqual(["base64", "float", "float"]);
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
        const other = createOpenaiUpstream({
            url: stub.url,
            apiKey: "k",
            model: "m",
            firstRetryDelayMilliseconds: 1,
            log,
        });
        always((request, response) => reply(response, 200, odd(request)));
        const outcomes = await outcomesOf(
            other,
            inputs.slice(0, 1),
            createContext(TOTAL_MILLISECONDS),
        );
        expect(outcomes).toMatchObject([{ status: 503, code: "bad_upstream_response" }]);
        await other.close();
    });

    test("is not confused with one that quotes a client's text in an error", async () => {
        const quoting: Turn = ({ input }, response) =>
            reply(response, 422, { error: { message: `unusable: ${String(input[0])}` } });
        await expectRight();
        stub.misbehave(quoting);
        const rejected = embedAll(
            upstream,
            [{ kind: "text", text: "encoding_format" }],
            createContext(),
        );
        await expect(rejected).rejects.toMatchObject({ status: 400 });
        await expectRight();
        expect(new Set(requestedEncodings())).toEqual(new Set(["base64"]));
    });
});
