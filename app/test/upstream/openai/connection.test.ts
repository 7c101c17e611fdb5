import { describe, expect, test } from "@jest/globals";
import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib";
import { createOpenaiUpstream } from "../../../src/upstream/openai/openai.ts";
import { embedAll } from "../../support/embedAll.ts";
import { rightAnswer, startStubUpstream } from "../../support/stubUpstream.ts";
import { createContext } from "../../support/requestContext.ts";
import { trueVector } from "../../support/vectors.ts";
import {
    always,
    embedOne,
    expectRight,
    inputs,
    log,
    stub,
    texts,
    useStubUpstream,
} from "../../support/openaiUpstream.ts";

useStubUpstream();

describe("the connection to an API", () => {
    test("may have Azure's version and key", async () => {
        const azure = createOpenaiUpstream({
            url: new URL(`${stub.url.origin}/openai/deployments/small?api-version=2024-10-21`),
            apiKey: "an-azure-key",
            model: "m",
            log,
        });
        await embedAll(azure, inputs, createContext());
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
        const patient = createOpenaiUpstream({ url: stub.url, apiKey: "k", model: "m", log });
        const embeddings = await embedAll(patient, inputs, createContext());
        await patient.close();
        expect(embeddings.map(({ vector }) => vector)).toEqual(
            texts.map((text) => trueVector(text)),
        );
        expect(stub.headers[0]).toMatchObject({ "accept-encoding": "identity" });
        expect(stub.requests).toHaveLength(1);
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

    test("uses a proxy if there is one, except for excluded hosts", async () => {
        const api = await startStubUpstream();
        for (const exceptHosts of [undefined, "127.0.0.1"]) {
            const proxied = createOpenaiUpstream({
                url: api.url,
                apiKey: "k",
                model: "m",
                proxy: { httpUrl: new URL(stub.url.origin), httpsUrl: undefined, exceptHosts },
                log,
            });
            await embedAll(proxied, inputs, createContext());
            await proxied.close();
        }
        await api.stop();
        expect(stub.targets).toEqual([`${api.url.href}/embeddings`]);
        expect(api.targets).toEqual(["/v1/embeddings"]);
    });
});
