import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { once } from "node:events";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { createChatModel } from "../src/chatModel.ts";
import { createEmbed } from "../src/embeddings.ts";

/** The upstream of a test. */
let respond: (response: ServerResponse) => void = () => undefined;
let server: Server;
let url: string;
let sentBytes = 0;

beforeAll(async () => {
    server = createServer((request, response) => {
        request.resume();
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
const embed = () =>
    createEmbed(
        { url, apiKey: API_KEY, model: "some", timeoutMilliseconds: 10_000 },
        { onEmbeddingCall: () => undefined },
    )("chat", ["a garden"]);

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
    }, 20_000);

    test("fails in a few words without the key", async () => {
        respond = fail;
        const reason = await call().then(String, String);
        expect(reason).toContain("Incorrect API key provided: …");
        expect(reason).not.toContain(API_KEY);
        expect(reason.length).toBeLessThan(300);
    });
});

test("a vector that is not of numbers is no vector", async () => {
    const embedding = Buffer.from(new Float32Array([1, NaN]).buffer).toString("base64");
    respond = (response) => response.end(JSON.stringify({ data: [{ index: 0, embedding }] }));
    await expect(embed()).rejects.toThrow("a vector that is not of numbers");
});
