import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { once } from "node:events";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { createChatModel } from "../src/chatModel.ts";
import { createEmbed } from "../src/embeddings.ts";

/** The upstream of a test. */
let respond: (response: ServerResponse) => void = () => undefined;
let calls = 0;
let server: Server;
let url: string;
let sentBytes = 0;

beforeAll(async () => {
    server = createServer((request, response) => {
        request.resume();
        calls += 1;
        response.setHeader("content-type", "application/json");
        respond(response);
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
});

afterAll(() => {
    server.closeAllConnections();
    server.close();
});

const API_KEY = "sk-some-key";
const ask = () =>
    createChatModel({ url, apiKey: API_KEY, model: "some", timeoutMilliseconds: 10_000 })({
        ...{ message: "a garden", turns: [], constraints: "", listings: [] },
    });
const createEmbedOf = (timeoutMilliseconds = 10_000) =>
    createEmbed(
        { url, apiKey: API_KEY, model: "some", timeoutMilliseconds },
        { onEmbeddingCall: () => undefined },
    );
const embed = () => createEmbedOf()("chat", ["a garden"]);

/** Answers with vectors, each at the index that it is given with. */
function vectors(...all: readonly (readonly [index: number, vector: readonly number[]])[]) {
    const data = all.map(([index, vector]) => {
        const embedding = Buffer.from(new Float32Array(vector).buffer).toString("base64");
        return { index, embedding };
    });
    return (response: ServerResponse) => void response.end(JSON.stringify({ data }));
}

function endlessly(response: ServerResponse): void {
    sentBytes = 0;
    const chunk = "x".repeat(1 << 16);
    const write = (): void => {
        while (!response.destroyed && response.write(chunk)) sentBytes += chunk.length;
        sentBytes += chunk.length;
    };
    response.on("drain", write);
    write();
}

function fail(response: ServerResponse): void {
    const message = `Incorrect API key provided: ${API_KEY}. ${"x".repeat(1e6)}`;
    response.writeHead(401).end(JSON.stringify({ error: { message } }));
}

describe.each([
    ["chat", ask],
    ["embeddings", embed],
])("the %s API", (_, call) => {
    test("may not send a body without an end", async () => {
        respond = (response) => endlessly(response);
        await expect(call()).rejects.toThrow();
        // The limit is 4 MiB for each attempt, and sockets hold some more.
        expect(sentBytes).toBeLessThan(16 << 20);
    });

    test("fails in a few words without the key", async () => {
        respond = fail;
        const reason = await call().then(String, String);
        expect(reason).toContain("Incorrect API key provided: …");
        expect(reason).not.toContain(API_KEY);
        expect(reason.length).toBeLessThan(300);
    });
});

test("a vector that is not of numbers is no vector", async () => {
    respond = vectors([0, [1, NaN]]);
    await expect(embed()).rejects.toThrow("a vector that is not of numbers");
});

test.each([
    ["of another length than its neighbour", vectors([0, [1, 0]], [1, [1, 0, 0]]), "of 3 numbers"],
    ["without numbers", vectors([0, [1, 0]], [1, []]), "without a direction"],
    ["of zeros", vectors([0, [0, 0]], [1, [1, 0]]), "without a direction"],
    ["of no text", vectors([0, [1, 0]], [2, [1, 0]]), "no vector of the index 1"],
])("a vector %s is an error", async (_, listener, message) => {
    respond = listener;
    await expect(createEmbedOf()("chat", ["a", "b"])).rejects.toThrow(message);
});

test("vectors belong to the texts of their indices, and later ones are as long as the first", async () => {
    const call = createEmbedOf();
    respond = vectors([1, [0, 2]], [0, [3, 0]]);
    const { vectors: read } = await call("chat", ["a", "b"]);
    expect(read.map((vector) => [...vector])).toEqual([
        [1, 0],
        [0, 1],
    ]);
    respond = vectors([0, [1, 0, 0]]);
    await expect(call("chat", ["a"])).rejects.toThrow("a vector of 3 numbers where others have 2");
});

test.each([
    ["chat", ask, "text/html", "<html>"],
    ["chat", ask, "application/json", "{}"],
    ["chat", ask, "application/json", "null"],
    ["chat", ask, "application/json", '{"choices":[{}]}'],
    ["embeddings", embed, "text/html", "<html>"],
    ["embeddings", embed, "application/json", "null"],
    ["embeddings", embed, "application/json", '{"data":[null]}'],
])(
    "an error of the %s API names what is wrong with an answer of %s %s",
    async (_, call, type, body) => {
        respond = (response) => response.setHeader("content-type", type).end(body);
        const reason = await call().then(String, String);
        expect(reason).toMatch(/another form|0 vectors for 1 texts/);
        expect(reason).not.toMatch(/undefined|null|property/);
    },
);

test("no call continues or begins after the deadline", async () => {
    calls = 0;
    const closed = new Promise((resolve) => {
        respond = (response) => {
            if (calls === 1) response.writeHead(503).end();
            else response.once("close", resolve);
        };
    });
    await expect(createEmbedOf(3_000)("chat", ["a"])).rejects.toThrow("within 3 s");
    await closed;
    await delay(1_500);
    expect(calls).toBe(2);
});
