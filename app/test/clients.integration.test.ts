import { createOpenAI } from "@ai-sdk/openai";
import { describe, expect, test } from "@jest/globals";
import { embed, embedMany } from "ai";
import OpenAI, { AzureOpenAI } from "openai";

import { LISTINGS, rankedListings, runExample } from "./support/examples.ts";
import { MODEL, stubEnvironment } from "./support/service.ts";
import { setUpTenants, setUpService, setUpUpstream } from "./support/setUp.ts";
import { DIMENSIONS, fromBase64, trueVector } from "./support/vectors.ts";

const KEY = "key-of-search";

const tenants = setUpTenants(
    { id: "search", key: KEY },
    { id: "poor", key: "key-of-poor", limits: { tokensPerMonth: 2 } },
);
const upstream = setUpUpstream();
const service = setUpService(() => ({
    ...stubEnvironment(upstream.url),
    TENANTS_FILE: tenants.file,
}));

const TEXTS = [
    "two rooms near the station",
    "Wohnk\u00fcche \ud83c\udfe1",
    "two rooms near the station",
];
const expected = TEXTS.map((text) => [...trueVector(text)]);
/** The same numbers, in either encoding. */
const numbers = (embedding: readonly number[]): number[] => [...Float32Array.from(embedding)];

describe("openai-node", () => {
    const client = (apiKey = KEY, path = "/v1"): OpenAI =>
        new OpenAI({ apiKey, baseURL: service.url + path, maxRetries: 0 });

    test.each([undefined, "float", "base64"] as const)(
        "reads the correct vectors in order, with encoding_format %s",
        async (encoding_format) => {
            const { data, model, usage } = await client().embeddings.create({
                model: MODEL,
                input: TEXTS,
                ...(encoding_format && { encoding_format }),
            });
            expect(model).toBe(MODEL);
            expect(data.map(({ index }) => index)).toEqual([0, 1, 2]);
            // Asked for base64, it hands the text on, against its type.
            const vectors = data.map(({ embedding }: { embedding: unknown }) =>
                typeof embedding === "string"
                    ? [...fromBase64(embedding)]
                    : numbers(embedding as number[]),
            );
            expect(vectors).toEqual(expected);
            expect(usage.total_tokens).toBeGreaterThan(0);
        },
    );

    test("asks for fewer dimensions, names its user and sends token ids", async () => {
        const { embeddings } = client();
        const short = await embeddings.create({
            model: MODEL,
            input: "a text",
            dimensions: 8,
            user: "u-1",
        });
        expect(short.data[0]?.embedding).toHaveLength(8);
        const tokens = await embeddings.create({ model: MODEL, input: [[1, 2, 3]] });
        expect(numbers(tokens.data[0]?.embedding ?? [])).toEqual([...trueVector("tokens 1 2 3")]);
    });

    test("may have a slash at the end of its base URL", async () => {
        const { data } = await client(KEY, "/v1/").embeddings.create({
            model: MODEL,
            input: "slash",
        });
        expect(data[0]?.embedding).toHaveLength(DIMENSIONS);
    });

    test("lists the model, and retrieves it", async () => {
        const listed = [];
        for await (const { id } of client().models.list()) listed.push(id);
        expect(listed).toEqual([MODEL]);
        expect((await client().models.retrieve(MODEL)).owned_by).toBe("openai");
        await expect(client().models.retrieve("other")).rejects.toMatchObject({
            status: 404,
            code: "model_not_found",
        });
    });

    test.each([
        ["a wrong key", { key: "wrong" }, OpenAI.AuthenticationError, "invalid_api_key"],
        ["another model", { model: "other" }, OpenAI.NotFoundError, "model_not_found"],
        ["a blank in its list", { input: ["a", " "] }, OpenAI.BadRequestError, null],
        [
            "a quota that is too small",
            { key: "key-of-poor" },
            OpenAI.RateLimitError,
            "insufficient_quota",
        ],
    ])("reports %s by its own error class", async (_, change, type, code) => {
        const { key, model, input } = { key: KEY, model: MODEL, input: ["a", "b"], ...change };
        const ask = () => client(key).embeddings.create({ model, input });
        if (key === "key-of-poor") await ask();
        const error = await ask().catch((thrown: unknown) => thrown);
        expect(error).toBeInstanceOf(type);
        expect(error).toMatchObject({ code });
    });

    test("without its own key is anonymous", async () => {
        const { data } = await client("anonymous").embeddings.create({
            model: MODEL,
            input: "of nobody",
        });
        expect(data).toHaveLength(1);
    });

    test.each(["path", "body"])("for Azure, with the deployment in the %s", async (where) => {
        const azure = new AzureOpenAI({
            apiKey: KEY,
            endpoint: service.url,
            apiVersion: "2024-10-21",
            ...(where === "path" && { deployment: MODEL }),
            maxRetries: 0,
        });
        const { data } = await azure.embeddings.create({ model: MODEL, input: TEXTS });
        expect(data.map(({ embedding }) => numbers(embedding))).toEqual(expected);
    });
});

describe("The examples", () => {
    const example = () => ({ url: service.url, key: KEY, timeoutMilliseconds: 30_000 });

    test("of curl prints the answer", async () => {
        const answer = JSON.parse(await runExample({ file: "curl.sh" }, example())) as {
            data: { embedding: number[] }[];
        };
        expect(answer.data.map(({ embedding }) => numbers(embedding))).toEqual(
            LISTINGS.map((text) => [...trueVector(text)]),
        );
    });

    test("of curl fails if the service rejects the key", async () => {
        const unauthorised = runExample({ file: "curl.sh" }, { ...example(), key: "wrong" });
        await expect(unauthorised).rejects.toThrow("401");
    });

    test("of openai-node ranks listings", async () => {
        const node = { file: "openai-node.ts", command: process.execPath };
        expect(await runExample(node, example())).toBe(rankedListings());
    });
});

describe("The Vercel AI SDK", () => {
    const openai = (apiKey = KEY) => createOpenAI({ apiKey, baseURL: `${service.url}/v1` });

    test("embeds many texts, and a single one", async () => {
        const model = openai().embeddingModel(MODEL);
        const { embeddings, usage } = await embedMany({ model, values: TEXTS });
        expect(embeddings.map(numbers)).toEqual(expected);
        expect(usage.tokens).toBeGreaterThan(0);
        const { embedding } = await embed({ model, value: TEXTS[0] ?? "" });
        expect(numbers(embedding)).toEqual(expected[0]);
    });

    test("requests fewer dimensions by its provider's options", async () => {
        const { embedding } = await embed({
            model: openai().embeddingModel(MODEL),
            value: "a text",
            providerOptions: { openai: { dimensions: 8, user: "u-1" } },
        });
        expect(embedding).toHaveLength(8);
    });

    test("reports why a request was rejected", async () => {
        const response = embed({
            model: openai("wrong").embeddingModel(MODEL),
            value: "a",
            maxRetries: 0,
        });
        await expect(response).rejects.toMatchObject({ statusCode: 401 });
    });
});
