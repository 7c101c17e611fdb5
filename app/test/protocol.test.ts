import { once } from "node:events";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { setTimeout as wait } from "node:timers/promises";

import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { PATHS } from "@property-search/contract";

import { MODEL, startService, stubEnvironment, type Service } from "./support/service.ts";
import { startStubUpstream, type StubUpstream } from "./support/stubUpstream.ts";
import { trueVector } from "./support/vectors.ts";

let upstream: StubUpstream;
let service: Service;

beforeAll(async () => {
    upstream = await startStubUpstream();
    service = await startService(stubEnvironment(upstream.url));
});

afterAll(async () => {
    await service.stop();
    await upstream.stop();
});

/** Sends bytes as they are, and returns what comes until the server closes. */
async function raw(...parts: readonly (string | Buffer)[]): Promise<string> {
    const socket = connect(Number(new URL(service.url).port), "127.0.0.1");
    const said = text(socket);
    await once(socket, "connect");
    for (const part of parts) {
        socket.write(part);
        await wait(20);
    }
    return said;
}

const head = (length: number | undefined, ...more: readonly string[]): string =>
    [
        `POST ${PATHS.embed} HTTP/1.1`,
        "host: service",
        "connection: close",
        ...(length === undefined ? [] : [`content-length: ${length}`]),
        ...more,
        "",
        "",
    ].join("\r\n");

const BODY = JSON.stringify({ text: "a text by socket" });

describe("HTTP as clients speak it", () => {
    test("a body in pieces is one body", async () => {
        const [first, second] = [BODY.slice(0, 9), BODY.slice(9)];
        expect(await raw(head(BODY.length), first, second)).toMatch(/^HTTP\/1\.1 200 /);
    });

    test("a chunked body is one body", async () => {
        const chunk = (part: string) => `${part.length.toString(16)}\r\n${part}\r\n`;
        const chunks = chunk(BODY.slice(0, 9)) + chunk(BODY.slice(9)) + chunk("");
        const said = await raw(head(undefined, "transfer-encoding: chunked"), chunks);
        expect(said).toMatch(/^HTTP\/1\.1 200 /);
    });

    test("Expect: 100-continue is told to go on", async () => {
        const said = await raw(head(BODY.length, "expect: 100-continue"), BODY);
        expect(said).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 /);
    });

    test("several requests on one connection are answered in their order", async () => {
        const one = (words: string, last = false) => {
            const body = JSON.stringify({ text: words });
            return head(body.length).replace(last ? "" : "connection: close\r\n", "") + body;
        };
        const said = await raw(one("one") + one("two two") + one("three three", true));
        const vectors = [...said.matchAll(/\{"embedding.*\}/g)].map(([body]) =>
            Float32Array.from((JSON.parse(body) as { embedding: number[] }).embedding),
        );
        const expected = ["one", "two two", "three three"].map((text) => trueVector(text));
        expect(vectors).toEqual(expected);
    });
});

describe("HTTP as it should not be spoken", () => {
    test.each([
        ["no HTTP at all", ["hello\r\n\r\n"], 400],
        ["headers without end", [`GET / HTTP/1.1\r\nx: ${"y".repeat(20_000)}\r\n\r\n`], 431],
        ["two lengths", [head(5, "content-length: 6"), "12345"], 400],
        [
            "a length and chunks, which two parsers read differently",
            [head(5, "transfer-encoding: chunked"), "0\r\n\r\n"],
            400,
        ],
        ["a length that is no number", [head(undefined, "content-length: x"), "1"], 400],
        [
            "a compressed body",
            [head(4, "content-encoding: gzip"), Buffer.of(0x1f, 0x8b, 8, 0)],
            415,
        ],
    ])("%s is refused in OpenAI's error shape", async (_, parts, status) => {
        const said = await raw(...parts);
        expect(said.slice(0, 12)).toBe(`HTTP/1.1 ${status}`);
        const body = said.slice(said.indexOf("\r\n\r\n") + 4);
        expect(Object.keys((JSON.parse(body) as { error: object }).error)).toEqual([
            "message",
            "type",
            "param",
            "code",
        ]);
    });

    test("a body over the limit is refused with 413, whether it told its length or not", async () => {
        const large = Buffer.alloc(9 * 1024 * 1024, "x");
        const told = await service.post(PATHS.embed, large.toString());
        expect(told.status).toBe(413);
        const untold = await raw(
            head(undefined, "transfer-encoding: chunked"),
            Buffer.concat([Buffer.from(`${large.length.toString(16)}\r\n`), large]),
            "\r\n0\r\n\r\n",
        );
        expect(untold).toMatch(/^HTTP\/1\.1 413 /);
    });

    test("a client that leaves in the middle of its body costs nothing", async () => {
        const socket = connect(Number(new URL(service.url).port), "127.0.0.1");
        socket.write(head(1_000) + '{"text":');
        await wait(50);
        socket.destroy();
        await wait(50);
        expect((await service.post(PATHS.embed, { text: "after it" })).status).toBe(200);
        expect(await service.metric("embedding_requests_in_flight")).toBe(0);
    });
});

describe("A request id", () => {
    test("of the client comes back; without one there is one", async () => {
        const ask = (headers: Record<string, string>) =>
            fetch(service.url + PATHS.embeddings, {
                method: "POST",
                headers,
                body: JSON.stringify({ model: MODEL, input: "named" }),
            });
        const own = await ask({ "x-request-id": "client-7" });
        expect(own.headers.get("x-request-id")).toBe("client-7");
        const given = await ask({});
        expect(given.headers.get("x-request-id")).toMatch(/^[\w-]{8,}$/);
        const wrong = await ask({ "x-request-id": "a b\u00e9".repeat(99) });
        expect(wrong.headers.get("x-request-id")).toMatch(/^[\w-]{8,}$/);
    });
});
