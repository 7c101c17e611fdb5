import { describe, expect, test } from "@jest/globals";
import { createOpenaiUpstream } from "../../../src/upstream/openai/openai.ts";
import { UpstreamError } from "../../../src/upstream/upstream.ts";
import { createEmbedding, type Embedding } from "../../../src/vector/embedding.ts";
import { embedAll, outcomesOf } from "../../support/embedAll.ts";
import { reply, rightAnswer, type Turn } from "../../support/stubUpstream.ts";
import { createContext } from "../../support/requestContext.ts";
import { trueTokens, trueVector } from "../../support/vectors.ts";
import {
    always,
    embedOne,
    inputs,
    log,
    replaceUpstream,
    requestedEncodings,
    stub,
    texts,
    upstream,
    useStubUpstream,
} from "../../support/openaiUpstream.ts";

useStubUpstream();

describe("vectors of a model with unknown dimensions", () => {
    const asLength =
        (length: number): Turn =>
        (request, response) =>
            reply(response, 200, rightAnswer(request, { dimensions: length }));
    const lengthOf = async (text: string): Promise<unknown> => {
        const outcome = (await outcomesOf(upstream, [{ kind: "text", text }], createContext()))[0];
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
        expect(requestedEncodings()).toEqual(["base64", "float", "base64"]);
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
        await replaceUpstream({ onWrongModel: (isWrong) => void wrong.push(isWrong) });
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
        const shortened = { ...createContext(), dimensions: 8 };
        const short: Turn = (request, response) => {
            const { model, input, encoding_format } = request;
            reply(response, 200, rightAnswer({ model, input, encoding_format }));
        };
        const other = createOpenaiUpstream({ url: stub.url, apiKey: "k", model: "m", log });
        await embedAll(other, inputs, createContext());
        always(short);
        await expect(embedAll(other, inputs, shortened)).rejects.toMatchObject({
            status: 400,
            code: "unsupported_dimensions",
        });
        await other.close();
    });
});
