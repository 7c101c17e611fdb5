import { once } from "node:events";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { setTimeout as wait } from "node:timers/promises";

import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import { PATHS } from "@property-search/contract";

import { eventually } from "../support/eventually.ts";
import { MODEL, startService, stubEnvironment, type Service } from "../support/service.ts";
import { setUpService, setUpUpstream } from "../support/setUp.ts";
import { reply, rightAnswer } from "../support/stubUpstream.ts";
import { trueVector } from "../support/vectors.ts";

const upstream = setUpUpstream();
const service = setUpService(() => stubEnvironment(upstream.url));

/** Sends raw bytes, and returns the response until the server closes. */
async function raw(...parts: readonly (string | Buffer)[]): Promise<string> {
    const socket = connect(Number(new URL(service.url).port), "127.0.0.1");
    const answer = text(socket);
    await once(socket, "connect");
    for (const part of parts) {
        socket.write(part);
        await wait(20);
    }
    return answer;
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

describe("Valid HTTP", () => {
    test("a body in pieces is one body", async () => {
        const [first, second] = [BODY.slice(0, 9), BODY.slice(9)];
        expect(await raw(head(BODY.length), first, second)).toMatch(/^HTTP\/1\.1 200 /);
    });

    test("a chunked body is one body", async () => {
        const chunk = (part: string) => `${part.length.toString(16)}\r\n${part}\r\n`;
        const chunks = chunk(BODY.slice(0, 9)) + chunk(BODY.slice(9)) + chunk("");
        const answer = await raw(head(undefined, "transfer-encoding: chunked"), chunks);
        expect(answer).toMatch(/^HTTP\/1\.1 200 /);
    });

    test("Expect: 100-continue is confirmed", async () => {
        const answer = await raw(head(BODY.length, "expect: 100-continue"), BODY);
        expect(answer).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 /);
    });

    test("several requests on one connection are answered in order", async () => {
        const one = (words: string, last = false) => {
            const body = JSON.stringify({ text: words });
            return head(body.length).replace(last ? "" : "connection: close\r\n", "") + body;
        };
        const answer = await raw(one("one") + one("two two") + one("three three", true));
        const vectors = [...answer.matchAll(/\{"embedding.*\}/g)].map(([body]) =>
            Float32Array.from((JSON.parse(body) as { embedding: number[] }).embedding),
        );
        const expected = ["one", "two two", "three three"].map((text) => trueVector(text));
        expect(vectors).toEqual(expected);
    });
});

describe("Invalid HTTP", () => {
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
    ])("%s is rejected in OpenAI's error shape", async (_, parts, status) => {
        const answer = await raw(...parts);
        expect(answer.slice(0, 12)).toBe(`HTTP/1.1 ${status}`);
        const body = answer.slice(answer.indexOf("\r\n\r\n") + 4);
        expect(Object.keys((JSON.parse(body) as { error: object }).error)).toEqual([
            "message",
            "type",
            "param",
            "code",
        ]);
    });

    test("a body over the limit is rejected with 413, with or without a declared length", async () => {
        const large = Buffer.alloc(9 * 1024 * 1024, "x");
        const response = await service.post(PATHS.embed, large.toString());
        expect(response.status).toBe(413);
        const untold = await raw(
            head(undefined, "transfer-encoding: chunked"),
            Buffer.concat([Buffer.from(`${large.length.toString(16)}\r\n`), large]),
            "\r\n0\r\n\r\n",
        );
        expect(untold).toMatch(/^HTTP\/1\.1 413 /);
    });

    test("a client that disconnects within its body costs nothing", async () => {
        const socket = connect(Number(new URL(service.url).port), "127.0.0.1");
        socket.write(head(1_000) + '{"text":');
        const inFlight = async (count: number) =>
            (await service.metric("embedding_requests_in_flight")) === count;
        await eventually("it has arrived", () => inFlight(1));
        socket.destroy();
        await eventually("it has ended", () => inFlight(0));
        expect((await service.post(PATHS.embed, { text: "after it" })).status).toBe(200);
    });
});

/** Writes everything without reading, like simple clients, and then reads. */
async function afterWriting(bytes: Iterable<Buffer>): Promise<string> {
    const socket = connect({
        port: Number(new URL(service.url).port),
        host: "127.0.0.1",
        allowHalfOpen: true,
    });
    await once(socket, "connect");
    for (const piece of bytes) if (!socket.write(piece)) await once(socket, "drain");
    const answer = text(socket);
    socket.end();
    return answer;
}

function* repeated(head: string, piece: Buffer, times: number, end = ""): Generator<Buffer> {
    yield Buffer.from(head);
    for (let at = 0; at < times; at += 1) yield piece;
    yield Buffer.from(end);
}

describe("A body that is too large", () => {
    const piece = Buffer.alloc(65_536, "x");
    const PIECES = 512;
    const length = piece.length * PIECES;
    const chunk = Buffer.concat([Buffer.from("10000\r\n"), piece, Buffer.from("\r\n")]);

    test.each([
        ["by its length", repeated(head(length), piece, PIECES)],
        [
            "by its length, on a connection that is kept",
            repeated(head(length).replace("connection: close\r\n", ""), piece, PIECES),
        ],
        [
            "by its chunks",
            repeated(head(undefined, "transfer-encoding: chunked"), chunk, PIECES, "0\r\n\r\n"),
        ],
    ])("%s is rejected, even if its client reads only after sending all", async (_, bytes) => {
        const answer = await afterWriting(bytes);
        expect(answer).toMatch(/^HTTP\/1\.1 413 /);
        expect(answer).toMatch(/connection: close\r\n/i);
        expect(answer.match(/HTTP\/1/g)).toHaveLength(1);
    });
});

test("A body that would be too large is not requested", async () => {
    const socket = connect(Number(new URL(service.url).port), "127.0.0.1");
    socket.write(head(99_999_999, "expect: 100-continue"));
    const [first] = (await once(socket, "data")) as [Buffer];
    expect(first.toString()).toMatch(/^HTTP\/1\.1 413 /);
    socket.destroy();
});

describe("A target", () => {
    const request = (line: string, ...more: readonly string[]) =>
        [line, "host: service", "connection: close", ...more, "", ""].join("\r\n");

    test.each([`http://a${PATHS.embed}`, `HTTPS://a:1${PATHS.embed}?x=1`, `${PATHS.embed}?x=1`])(
        "%s leads to its path",
        async (target) => {
            const line = `POST ${target} HTTP/1.1`;
            const answer = await raw(request(line, `content-length: ${BODY.length}`) + BODY);
            expect(answer).toMatch(/^HTTP\/1\.1 200 /);
        },
    );

    test.each([
        ["GET http://a HTTP/1.1", 404],
        ["GET ftp://a/livez HTTP/1.1", 404],
        ["GET /v1/embeddings/ HTTP/1.1", 404],
        ["CONNECT a:1 HTTP/1.1", 405],
        ["OPTIONS * HTTP/1.1", 204],
    ])("in %s gets a %i", async (line, status) => {
        const answer = await raw(request(line));
        expect(answer.slice(0, 13)).toBe(`HTTP/1.1 ${status} `);
        if (status !== 204) expect(answer).toContain('{"error":{"message":');
        if (status !== 404) expect(answer).toMatch(/allow: GET/);
    });

    test.each([
        [PATHS.embed, "POST, OPTIONS"],
        [PATHS.live, "GET, HEAD, OPTIONS"],
    ])("%s lists its methods", async (path, allow) => {
        const answer = await service.get(path, "OPTIONS");
        expect([answer.status, answer.headers.get("allow")]).toEqual([204, allow]);
        const wrong = await service.get(path, "DELETE");
        expect([wrong.status, wrong.headers.get("allow")]).toEqual([405, allow]);
    });
});

describe("A Host", () => {
    test.each([
        ["HTTP/1.1", [], 400],
        ["HTTP/1.1", ["host: a", "host: b"], 400],
        ["HTTP/1.0", ["host: a", "host: a"], 400],
        ["HTTP/1.0", [], 200],
        ["HTTP/1.1", ["host: a"], 200],
    ])("in %s: %j", async (version, hosts, status) => {
        const lines = [`POST ${PATHS.embed} ${version}`, ...hosts, "connection: close"];
        const fields = [...lines, `content-length: ${BODY.length}`, "", BODY];
        const answer = await raw(fields.join("\r\n"));
        expect(answer.slice(0, 12)).toBe(`HTTP/1.1 ${status}`);
        if (status === 400) expect(answer).toContain("Host headers; allowed: 1");
    });
});

describe("Invalid HTTP", () => {
    test("is rejected after the responses to earlier requests on the connection", async () => {
        const answer = Promise.withResolvers<undefined>();
        upstream.misbehave((body, response) => {
            void answer.promise.then(() => reply(response, 200, rightAnswer(body)));
        });
        const slow = JSON.stringify({ text: "a slow answer" });
        const keepAliveHead = head(undefined, "transfer-encoding: chunked").replace(
            "connection: close\r\n",
            "",
        );
        const chunked = `${slow.length.toString(16)}\r\n${slow}\r\n0\r\n\r\n`;
        const answers = raw(
            keepAliveHead + chunked,
            "no HTTP at all\r\n\r\n",
            "more of it\r\n\r\n",
        );
        await wait(200);
        answer.resolve(undefined);
        const statuses = [...(await answers).matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, one]) => one);
        expect(statuses).toEqual(["200", "400"]);
    });

    test("gets a 501 for a body with another transfer coding than chunked", async () => {
        const said = await raw(head(undefined, "transfer-encoding: gzip, chunked"), "0\r\n\r\n");
        expect(said).toMatch(/^HTTP\/1\.1 501 /);
        expect(said).toContain("Transfer-Encoding is gzip, chunked; allowed: chunked");
    });

    test("gets a JSON response if only an expectation cannot be met", async () => {
        const said = await raw(head(BODY.length, "expect: tea") + BODY);
        expect(said).toMatch(/^HTTP\/1\.1 417 /);
        expect(said).toContain("Expect is tea; allowed: 100-continue");
    });
});

describe("A body", () => {
    test("with a byte order mark is parsed without it", async () => {
        const answer = await service.post(PATHS.embed, `\ufeff${BODY}`);
        expect(answer.status).toBe(200);
    });
});

describe("A page of another origin", () => {
    const ORIGIN = "https://app.example.com";
    let open: Service;

    beforeAll(async () => {
        open = await startService({ ...stubEnvironment(upstream.url), CORS_ORIGINS: ORIGIN });
    });
    afterAll(() => open.stop());

    const preflight = (at: Service, origin: string, headers = "authorization,x-stainless-os") =>
        fetch(at.url + PATHS.embeddings, {
            method: "OPTIONS",
            headers: {
                origin,
                "access-control-request-method": "POST",
                "access-control-request-headers": headers,
            },
        });

    test("that is allowed may send requests, and read the response", async () => {
        const { status, headers } = await preflight(open, ORIGIN);
        expect(status).toBe(204);
        expect(Object.fromEntries(headers)).toMatchObject({
            "access-control-allow-origin": ORIGIN,
            "access-control-allow-methods": "GET, POST",
            "access-control-allow-headers": "authorization,x-stainless-os",
            vary: "origin",
        });
        for (const path of [PATHS.embed, "/nowhere"]) {
            const answer = await fetch(open.url + path, {
                method: "POST",
                headers: { origin: ORIGIN },
                body: BODY,
            });
            expect(answer.headers.get("access-control-allow-origin")).toBe(ORIGIN);
            expect(answer.headers.get("access-control-expose-headers")).toContain("x-cache");
        }
    });

    test("that is not allowed gets no headers", async () => {
        for (const [at, origin] of [
            [open, "https://other.example.com"],
            [service, ORIGIN],
        ] as const) {
            const { headers } = await preflight(at, origin);
            expect(headers.get("access-control-allow-origin")).toBeNull();
        }
    });

    test("gets no header back that is not a valid name", async () => {
        const { headers } = await preflight(open, ORIGIN, "a\u00e9;b");
        expect(headers.get("access-control-allow-headers")).toBe("authorization, content-type");
    });

    test("is allowed if all are", async () => {
        const all = await startService({ ...stubEnvironment(upstream.url), CORS_ORIGINS: "*" });
        try {
            const { headers } = await preflight(all, "https://other.example.com");
            expect(headers.get("access-control-allow-origin")).toBe("*");
        } finally {
            await all.stop();
        }
    });
});

describe("A request id", () => {
    test("of the client is returned; otherwise a new one is created", async () => {
        const ask = (headers: Record<string, string>) =>
            fetch(service.url + PATHS.embeddings, {
                method: "POST",
                headers,
                body: JSON.stringify({ model: MODEL, input: "named" }),
            });
        const own = await ask({ "x-request-id": "client-7" });
        expect(own.headers.get("x-request-id")).toBe("client-7");
        const plainResponse = await ask({});
        expect(plainResponse.headers.get("x-request-id")).toMatch(/^[\w-]{8,}$/);
        const wrong = await ask({ "x-request-id": "a b\u00e9".repeat(99) });
        expect(wrong.headers.get("x-request-id")).toMatch(/^[\w-]{8,}$/);
    });
});
