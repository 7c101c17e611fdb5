import { connect, type Server } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import {
    createHttpServer,
    createNodeServer,
    type HttpServer,
} from "../../src/http/transport/server.ts";
import { eventually } from "../support/eventually.ts";
import { propertyRuns } from "../../../tests/support/property.ts";
import { parseResponses, echo, listen, converse } from "../support/httpConversation.ts";

let fastServer: HttpServer;

let fastPort: number;

let nodeServer: Server;

let nodePort: number;

beforeAll(async () => {
    fastServer = createHttpServer(echo);
    fastPort = await fastServer.listen(0, "127.0.0.1");
    nodeServer = createNodeServer(echo);
    nodePort = await listen(nodeServer);
});

afterAll(async () => {
    await fastServer.drain({ quietMilliseconds: 0, acceptMilliseconds: 0, timeoutMilliseconds: 0 });
    nodeServer.close();
});

const word = fc.stringMatching(/^[\w -]{0,12}$/);

const body = fc.oneof(
    fc.uint8Array({ maxLength: 80 }).map((bytes) => Buffer.from(bytes).toString("latin1")),
    fc.constant("POST /echo HTTP/1.1\r\nhost: smuggled\r\ncontent-length: 0\r\n\r\n"),
    fc.string({ minLength: 20_000, maxLength: 70_000, unit: fc.constantFrom("a", "\n", "{") }),
);

const target = fc.constantFrom("/echo", "/echo", "/later", "/refuse", "/echo?a=1");

/** What nearly all clients send. */
const usual = fc.record({ target, word, body, get: fc.boolean() }).map((request) => {
    const { target, word, body, get } = request;
    const fields = `host: a\r\nX-Word: ${word.trim()}\r\n`;
    return get
        ? `GET ${target} HTTP/1.1\r\n${fields}\r\n`
        : `POST ${target} HTTP/1.1\r\n${fields}Content-Length: ${body.length}\r\n\r\n${body}`;
});

/** Valid but rare, and invalid. */
const unusual = fc
    .record({
        method: fc.constantFrom("POST", "GET", "PUT", "post", "P\u00d6ST", ""),
        target: fc.oneof(target, fc.constantFrom("*", "http://a/echo", "/ echo", "/\u00e9", "")),
        version: fc.constantFrom("HTTP/1.1", "HTTP/1.1", "HTTP/1.0", "HTTP/2.0", "http/1.1"),
        fields: fc.array(
            fc.oneof(
                fc.constantFrom(
                    "host: a",
                    "HOST:a",
                    "content-length: 4",
                    "content-length: 4, 4",
                    "Content-Length:  4\t",
                    "content-length: +4",
                    "content-length: 0x4",
                    "content-length : 4",
                    "content-length: 4\r\ncontent-length: 5",
                    "transfer-encoding: chunked",
                    "Transfer-Encoding: identity",
                    "connection: close",
                    "connection: Keep-Alive",
                    "connection: keep-alive, x",
                    "proxy-connection: close",
                    "Proxy-Connection: Keep-Alive",
                    "expect: 100-continue",
                    "upgrade: websocket\r\nconnection: upgrade",
                    "x: folded\r\n more",
                    "x: nul\u0000",
                    "x: bare\rreturn",
                    "x: bare\nfeed",
                    " x: early",
                    ": no name",
                    "no colon",
                    "x:",
                    "x: \u00ff latin ",
                    "trailer: y",
                    "te: trailers",
                ),
                word.map((value) => `x-${value.length}: ${value}`),
            ),
            { maxLength: 5 },
        ),
        rest: fc.oneof(fc.constantFrom("", "body", "4\r\nbody\r\n0\r\n\r\n"), body),
    })
    .map(
        ({ method, target, version, fields, rest }) =>
            `${[`${method} ${target} ${version}`, ...fields].join("\r\n")}\r\n\r\n${rest}`,
    );

/** Rare and valid. */
const rare = fc
    .record({
        target,
        text: fc.stringMatching(/^[\w{}" ]{1,40}$/),
        form: fc.constantFrom("chunked", "expect", "put", "spaces", "host"),
    })
    .map(({ target, text, form }) => {
        const post = `POST ${target} HTTP/1.1\r\n`;
        const length = `content-length: ${text.length}`;
        switch (form) {
            case "chunked": {
                const chunks = `${text.length.toString(16)}\r\n${text}\r\n0\r\n\r\n`;
                return `${post}host: a\r\ntransfer-encoding: chunked\r\n\r\n${chunks}`;
            }
            case "expect":
                return `${post}host: a\r\n${length}\r\nexpect: 100-continue\r\n\r\n${text}`;
            case "put":
                return `PUT ${target} HTTP/1.1\r\nhost: a\r\n${length}\r\n\r\n${text}`;
            case "spaces":
                return `${post}HOST:a\r\nx:\r\ny:  \t\u00ff y \t\r\n${length} \r\n\r\n${text}`;
            case "host":
                return `${post}${length}\r\nConnection: Keep-Alive\r\nhost:\r\n\r\n${text}`;
        }
    });

const last = fc.constantFrom(
    "",
    "GET /later HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n",
    "POST /echo HTTP/1.0\r\ncontent-length: 2\r\n\r\n{}",
);

const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 6 });

/** Conversation for each split of the same bytes, on the fast path and by node:http alone. */
async function converseWithBoth(bytes: Buffer, cuts: readonly number[]) {
    const places = cuts.map((cut) => Math.floor(cut * bytes.length)).sort((a, b) => a - b);
    const edges = [0, ...places, bytes.length];
    const pieces = edges
        .slice(1)
        .map((edge, index) => bytes.subarray(edges[index], edge))
        .filter(({ length }) => length > 0);
    const answers = await Promise.all([converse(fastPort, pieces), converse(nodePort, pieces)]);
    return { ours: parseResponses(answers[0]), theirs: parseResponses(answers[1]) };
}

describe("The fast path", () => {
    test("responds to valid requests like node:http alone, however they are split", async () => {
        const requests = fc.array(fc.oneof({ weight: 4, arbitrary: usual }, rare), {
            maxLength: 5,
        });
        await fc.assert(
            fc.asyncProperty(requests, last, cuts, async (requests, last, cuts) => {
                const bytes = Buffer.from(requests.join("") + last, "latin1");
                const { ours, theirs } = await converseWithBoth(bytes, cuts);
                expect(ours).toEqual(theirs);
                const real = ours.filter(({ status }) => status !== "100");
                expect(real).toHaveLength(requests.length + Number(last !== ""));
                expect(ours.map(({ status }) => status)).not.toContain("400");
            }),
            propertyRuns(600),
        );
    });

    test("never interprets invalid requests differently than node:http", async () => {
        const requests = fc.array(fc.oneof(usual, unusual), { minLength: 1, maxLength: 4 });
        const change = fc.option(
            fc.record({ at: fc.nat({ max: 400 }), byte: fc.integer({ min: 0, max: 255 }) }),
        );
        await fc.assert(
            fc.asyncProperty(requests, cuts, change, async (requests, cuts, change) => {
                const bytes = Buffer.from(requests.join(""), "latin1");
                if (change && change.at < bytes.length) bytes[change.at] = change.byte;
                const { ours, theirs } = await converseWithBoth(bytes, cuts);
                // An error overtakes pending responses, some of which node:http drops.
                const real = [ours, theirs].map((received) =>
                    received.filter(({ body }) => body !== ""),
                );
                const [shorter = [], longer = []] = real.sort((a, b) => a.length - b.length);
                expect(shorter).toEqual(longer.slice(0, shorter.length));
            }),
            propertyRuns(900),
        );
    });

    test("frames responses alike: date, length and connection", async () => {
        const request = Buffer.from("GET /echo HTTP/1.1\r\nhost: a\r\n\r\n");
        const answers = await converse(fastPort, [request]);
        expect(answers).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
        expect(answers).toMatch(/\r\ndate: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT\r\n/);
        expect(answers).toMatch(/\r\nconnection: keep-alive\r\nkeep-alive: timeout=95\r\n\r\n\{/);
    });

    test("keeps a client that does not read from filling the memory, and loses no data", async () => {
        const megabyte = Buffer.alloc(1024 * 1024, "a");
        let served = 0;
        const server = createHttpServer((_, response) => {
            served += 1;
            response.send(200, ["content-length", String(megabyte.length)], [megabyte], false);
        });
        const port = await server.listen(0, "127.0.0.1");
        const socket = connect(port, "127.0.0.1");
        const request = "GET / HTTP/1.1\r\nhost: a\r\n\r\n";
        const TOTAL = 100;
        socket.pause();
        socket.write(request);
        let known = -1;
        // One by one, so that they do not arrive as one chunk, for as long as they are answered.
        await eventually("it stops answering", () => {
            const stuck = served === known;
            known = served;
            if (!stuck) socket.write(request);
            return stuck;
        });
        expect(served).toBeLessThan(TOTAL);
        socket.write(request.repeat(TOTAL - served));
        let bytes = 0;
        socket.on("data", (chunk) => (bytes += chunk.length));
        socket.resume();
        await eventually("all have come", () => bytes > TOTAL * megabyte.length);
        expect(served).toBeGreaterThanOrEqual(TOTAL);
        socket.destroy();
        await server.drain({ quietMilliseconds: 0, acceptMilliseconds: 0, timeoutMilliseconds: 0 });
    });
});
