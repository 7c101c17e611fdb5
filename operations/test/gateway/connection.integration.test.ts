import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import type { TLSSocket } from "node:tls";
import { issueCertificate } from "../../../tests/support/authority.ts";
import { makeTemporaryFolder } from "../../../tests/support/temporaryFolder.ts";
import { embed } from "../../gateway/client.ts";
import { createSend } from "../../gateway/connection.ts";

const HOST = "embeddings.property-search.example";

describe("a request to the Gateway", () => {
    let server: Server;
    let folder: string;
    let ca: string;
    const received: (readonly [string | undefined, unknown])[] = [];
    const endpoint = () => {
        const { port } = server.address() as AddressInfo;
        return { host: "127.0.0.1", port };
    };

    beforeAll(async () => {
        folder = makeTemporaryFolder();
        const files = await issueCertificate(folder, HOST);
        ca = await readFile(files.ca, "utf8");
        const [cert, key] = await Promise.all([readFile(files.cert), readFile(files.key)]);
        server = createServer({ cert, key }, ({ headers, socket }, response) => {
            received.push([
                headers.host,
                (socket as TLSSocket & { servername?: unknown }).servername,
            ]);
            response.setHeader("x-served-by", "blue").setHeader("x-cache", "MISS");
            response.end(JSON.stringify({ embeddings: [[1, 0]] }));
        });
        await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    });

    afterAll(async () => {
        await new Promise((resolve) => server.close(resolve));
        server.closeAllConnections();
    });

    test("uses the public host in TLS and HTTP, whatever the address", async () => {
        const send = createSend({ address: endpoint(), ca });
        const answer = await embed({ url: `https://${HOST}`, send, apiKey: undefined }, ["a"]);
        expect(answer.servedBy).toBe("blue");
        expect(received.at(-1)).toEqual([HOST, HOST]);
    });

    test("is not sent if the certificate is untrusted, and the error has the remedy", async () => {
        const send = createSend({ address: endpoint(), ca: undefined });
        const response = embed({ url: `https://${HOST}`, send, apiKey: undefined }, ["a"]);
        await expect(response).rejects.toThrow(/certificate.*GATEWAY_CA_FILE=ca\.pem/);
        await expect(send(`https://${HOST}/health`)).rejects.toThrow(
            /GET https:\/\/.*\/health failed: .*certificate.*GATEWAY_CA_FILE=ca\.pem/,
        );
    });

    test("is not sent if the certificate is for another host", async () => {
        const send = createSend({ address: endpoint(), ca });
        const response = embed({ url: "https://other.example", send, apiKey: undefined }, ["a"]);
        await expect(response).rejects.toThrow(/altnames|does not match/);
    });
});
