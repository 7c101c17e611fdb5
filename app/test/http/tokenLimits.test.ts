import { describe, expect, test } from "@jest/globals";

import { HttpError } from "../../src/http/protocol/error.ts";
import {
    parseEmbed,
    parseOpenai,
    type ModelLimits,
} from "../../src/http/protocol/embeddingRequest.ts";
import { createTokenLimitsCheck } from "../../src/http/handler/tokenLimits.ts";
import { createTokenCounter } from "../../src/upstream/openai/tokenCounter.ts";
import { longestTurnMilliseconds } from "../support/cpu.ts";

const MODEL = "text-embedding-3-small";
const LIMITS: ModelLimits = {
    model: MODEL,
    acceptsTokens: true,
    dimensions: () => 1536,
    dimensionsError: () => undefined,
    supportsShortening: true,
};
const tooLong = createTokenLimitsCheck(createTokenCounter(MODEL));
const request = (input: unknown) =>
    parseOpenai(Buffer.from(JSON.stringify({ model: MODEL, input })), LIMITS);

/** " word" is one token of cl100k_base, and so is the first "word". */
const words = (count: number) => Array<string>(count).fill("word").join(" ");

async function refusalOf(input: unknown): Promise<HttpError | undefined> {
    try {
        await tooLong(request(input));
        return undefined;
    } catch (error) {
        return error as HttpError;
    }
}

describe("The limit of tokens", () => {
    test("of a text allows 8,192 and no more", async () => {
        expect(await refusalOf(words(8_192))).toBeUndefined();
        const refusal = await refusalOf(["short", words(8_193)]);
        expect(refusal).toMatchObject({
            status: 400,
            param: "input[1]",
            code: "context_length_exceeded",
            message: "input[1] has more than 8192 tokens; allowed: at most 8192",
        });
    });

    test("of a request allows 300,000 and no more, texts and IDs together", async () => {
        const full = Array<string>(37).fill(words(8_000));
        expect(await refusalOf(full)).toBeUndefined();
        const refusal = await refusalOf([...full, words(8_000)]);
        expect(refusal).toMatchObject({ param: "input", code: "max_tokens_per_request" });
    });

    test("costs nothing if there are fewer bytes than allowed tokens", () => {
        expect(tooLong(request(words(100)))).toBeUndefined();
    });

    test("does not delay others for a word that is as long as a body", async () => {
        let refusal: HttpError | undefined;
        const longest = await longestTurnMilliseconds(async () => {
            refusal = await refusalOf("a".repeat(1_000_000));
        });
        expect(refusal?.code).toBe("context_length_exceeded");
        // Counted whole, this text takes minutes.
        expect(longest).toBeLessThan(2_000);
    });

    test("names the field of /embed", async () => {
        const body = Buffer.from(JSON.stringify({ texts: ["a", words(9_000)] }));
        await expect(tooLong(parseEmbed(body))).rejects.toMatchObject({ param: "texts[1]" });
    });

    test("of a model with an unknown vocabulary is left to its upstream", () => {
        expect(createTokenCounter("some-model")).toBeUndefined();
        expect(createTokenLimitsCheck(undefined)(request(words(9_000)))).toBeUndefined();
    });
});
