import { once } from "node:events";
import {
    connect,
    createServer as createNetServer,
    type AddressInfo,
    type Server,
    type Socket,
} from "node:net";
import { setTimeout as wait } from "node:timers/promises";

import { afterAll, beforeAll, describe, expect, test } from "@jest/globals";
import fc from "fast-check";

import type { Handler } from "../../src/http/protocol/exchange.ts";
import { expressLane, type ExpressOptions } from "../../src/http/transport/fastHttp.ts";
import { readHead } from "../../src/http/transport/requestHead.ts";
import { httpServer, nodeServer, type HttpServer } from "../../src/http/transport/server.ts";
import { eventually } from "../support/eventually.ts";
import { propertyRuns } from "../../../tests/support/property.ts";

/** Echoes the request, immediately or a turn later, with or without reading the body. */
const echo: Handler = (request, response) => {
    const { method, url, rawHeaders } = request;
    const answer = (status: number, body: Buffer): void => {
        const text = JSON.stringify({ method, url, rawHeaders, body: body.toString("base64") });
        const bytes = Buffer.from(text);
        response.send(status, ["content-length", String(bytes.length)], [bytes], false);
    };
    if (url === "/refuse") {
        request.resume();
        answer(401, Buffer.alloc(0));
        return;
    }
    const chunks: Buffer[] = [];
    request.readInto({
        chunk: (chunk) => chunks.push(chunk),
        end: () => {
            const body = Buffer.concat(chunks);
            if (url === "/later") setImmediate(() => answer(200, body));
            else answer(200, body);
        },
        gone: () => undefined,
    });
};

let express: HttpServer;
let expressPort: number;
let plain: Server;
let plainPort: number;

beforeAll(async () => {
    express = httpServer(echo);
    expressPort = await express.listen(0, "127.0.0.1");
    plain = nodeServer(echo);
    plainPort = await listening(plain);
});

afterAll(async () => {
    await express.drain({ quietMilliseconds: 0, acceptMilliseconds: 0, timeoutMilliseconds: 0 });
    plain.close();
});

async function listening(server: Server): Promise<number> {
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    return (server.address() as AddressInfo).port;
}

/** Sends pieces, one per turn, ends, and returns the whole response. */
async function say(port: number, pieces: readonly Buffer[]): Promise<string> {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    const heard: Buffer[] = [];
    socket.on("data", (chunk: Buffer) => heard.push(chunk));
    // A server that has rejected a request may close while the rest is in transit.
    socket.on("error", () => undefined);
    const closed = new Promise((resolve) => socket.once("close", resolve));
    for (const piece of pieces) {
        if (!socket.write(piece)) await Promise.race([once(socket, "drain"), closed]);
        await new Promise((resolve) => setImmediate(resolve));
    }
    socket.end();
    await closed;
    return Buffer.concat(heard).toString("latin1");
}

interface Heard {
    readonly status: string;
    readonly body: string;
}

/** The responses that a client would read, up to an error for invalid HTTP, whose text may differ. */
function answers(text: string): readonly Heard[] {
    const found: Heard[] = [];
    let rest = text;
    while (rest !== "") {
        const end = rest.indexOf("\r\n\r\n");
        const head = rest.slice(0, end);
        const status = head.slice(9, 12);
        if (Number(status) >= 400 && status !== "401") return [...found, { status, body: "" }];
        const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
        found.push({ status, body: rest.slice(end + 4, end + 4 + length) });
        rest = rest.slice(end + 4 + length);
    }
    return found;
}

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
async function both(bytes: Buffer, cuts: readonly number[]) {
    const places = cuts.map((cut) => Math.floor(cut * bytes.length)).sort((a, b) => a - b);
    const edges = [0, ...places, bytes.length];
    const pieces = edges
        .slice(1)
        .map((edge, index) => bytes.subarray(edges[index], edge))
        .filter(({ length }) => length > 0);
    const said = await Promise.all([say(expressPort, pieces), say(plainPort, pieces)]);
    return { ours: answers(said[0]), theirs: answers(said[1]) };
}

describe("The fast path", () => {
    test("responds to valid requests like node:http alone, however they are split", async () => {
        const requests = fc.array(fc.oneof({ weight: 4, arbitrary: usual }, rare), {
            maxLength: 5,
        });
        await fc.assert(
            fc.asyncProperty(requests, last, cuts, async (requests, last, cuts) => {
                const bytes = Buffer.from(requests.join("") + last, "latin1");
                const { ours, theirs } = await both(bytes, cuts);
                expect(ours).toEqual(theirs);
                const real = ours.filter(({ status }) => status !== "100");
                expect(real).toHaveLength(requests.length + Number(last !== ""));
                expect(ours.map(({ status }) => status)).not.toContain("400");
            }),
            propertyRuns(600),
        );
    }, 60_000);

    test("never interprets invalid requests differently than node:http", async () => {
        const requests = fc.array(fc.oneof(usual, unusual), { minLength: 1, maxLength: 4 });
        const change = fc.option(
            fc.record({ at: fc.nat({ max: 400 }), byte: fc.integer({ min: 0, max: 255 }) }),
        );
        await fc.assert(
            fc.asyncProperty(requests, cuts, change, async (requests, cuts, change) => {
                const bytes = Buffer.from(requests.join(""), "latin1");
                if (change && change.at < bytes.length) bytes[change.at] = change.byte;
                const { ours, theirs } = await both(bytes, cuts);
                // An error overtakes pending responses, some of which node:http drops.
                const real = [ours, theirs].map((heard) => heard.filter(({ body }) => body !== ""));
                const [shorter = [], longer = []] = real.sort((a, b) => a.length - b.length);
                expect(shorter).toEqual(longer.slice(0, shorter.length));
            }),
            propertyRuns(900),
        );
    }, 60_000);

    test("frames responses alike: date, length and connection", async () => {
        const request = Buffer.from("GET /echo HTTP/1.1\r\nhost: a\r\n\r\n");
        const said = await say(expressPort, [request]);
        expect(said).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
        expect(said).toMatch(/\r\ndate: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT\r\n/);
        expect(said).toMatch(/\r\nconnection: keep-alive\r\nkeep-alive: timeout=95\r\n\r\n\{/);
    });

    test("keeps a client that does not read from filling the memory, and loses no data", async () => {
        const megabyte = Buffer.alloc(1024 * 1024, "a");
        let served = 0;
        const server = httpServer((_, response) => {
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

describe("A connection of node:http", () => {
    test.each([
        ["a head", "POST /echo HTTP/1.1\r\nhost: a\r\n"],
        ["a body", "POST /echo HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{"],
    ])("with half of %s is rejected in time", async (_, half) => {
        const server = nodeServer(echo, { headersTimeoutSeconds: 1, requestTimeoutSeconds: 1 });
        const port = await listening(server);
        const socket = connect(port, "127.0.0.1");
        const begun = performance.now();
        socket.write(half);
        const heard: Buffer[] = [];
        socket.on("data", (chunk: Buffer) => heard.push(chunk));
        await once(socket, "close");
        expect(Buffer.concat(heard).toString()).toMatch(/^HTTP\/1\.1 408 /);
        // By default node:http would check after 30 seconds.
        expect(performance.now() - begun).toBeLessThan(15_000);
        server.close();
    });
});

describe("A connection of the fast path", () => {
    /** A server of the fast path only, with short limits. */
    async function lane(options: Partial<ExpressOptions> = {}) {
        const opened = expressLane({
            serve: echo,
            handOver: (socket) => void socket.destroy(),
            refusal: (code) => code,
            keepAliveSeconds: 1,
            headersTimeoutSeconds: 1,
            requestTimeoutSeconds: 1,
            mostConnections: 100,
            endIdle: () => undefined,
            ...options,
        });
        const server = createNetServer({ allowHalfOpen: true }, opened.take);
        const port = await listening(server);
        return {
            open: async (): Promise<Socket> => {
                const socket = connect(port, "127.0.0.1");
                await once(socket, "connect");
                return socket;
            },
            stop: () => {
                opened.cutOff();
                server.close();
            },
            close: opened.close,
        };
    }

    test("beyond the maximum replaces the longest-idle one, or is rejected", async () => {
        const server = await lane({ mostConnections: 2, keepAliveSeconds: 60 });
        const [first, second] = [await server.open(), await server.open()];
        const third = await server.open();
        expect(await everything(first)).toBe("");
        for (const socket of [second, third]) socket.write("POST / HTTP/1.1\r\nhost: a\r\n");
        await wait(50);
        expect(await everything(await server.open())).toBe("ERR_TOO_MANY_CONNECTIONS");
        second.write("content-length: 0\r\n\r\n");
        const [answer] = (await once(second, "data")) as [Buffer];
        expect(answer.toString()).toMatch(/^HTTP\/1\.1 200 /);
        third.destroy();
        server.stop();
    });

    test("gets one response per turn, however many requests it sends at once", async () => {
        let turn = 0;
        const turns: number[] = [];
        const server = await lane({
            serve: (request, response) => {
                turns.push(turn);
                echo(request, response);
            },
        });
        let running = true;
        const next = (): void => {
            turn += 1;
            if (running) setImmediate(next);
        };
        next();
        const socket = await server.open();
        const one = (at: number) => `POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 3\r\n\r\n${at}`;
        const sent = Array.from({ length: 300 }, (_, at) => 100 + at);
        socket.end(sent.map(one).join(""));
        const received = answers(await everything(socket));
        running = false;
        const bodies = received.map(({ body }) => (JSON.parse(body) as { body: string }).body);
        expect(bodies.map((text) => Number(atob(text)))).toEqual(sent);
        expect(new Set(turns).size).toBe(sent.length);
        server.stop();
    });

    async function everything(socket: Socket): Promise<string> {
        const heard: Buffer[] = [];
        socket.on("data", (chunk: Buffer) => heard.push(chunk));
        await once(socket, "close");
        return Buffer.concat(heard).toString();
    }

    test("that is idle for too long is closed", async () => {
        const { open, stop } = await lane();
        const socket = await open();
        expect(await everything(socket)).toBe("");
        stop();
    });

    test("with half a head is rejected eventually, however slowly it continues", async () => {
        const { open, stop } = await lane({ keepAliveSeconds: 60 });
        const socket = await open();
        socket.write("POST / HT");
        const trickle = setInterval(() => socket.write("T"), 100);
        expect(await everything(socket)).toBe("ERR_HTTP_REQUEST_TIMEOUT");
        clearInterval(trickle);
        stop();
    });

    test.each([
        ["TLS", Buffer.from("16030100f8010000f40303", "hex")],
        ["bare line feeds", Buffer.from("GET /livez HTTP/1.1\nhost: a\n\n")],
        ["a bare line feed after others", Buffer.from("GET /livez HTTP/1.1\r\nhost: a\n\r\n")],
        ["another method", Buffer.from("PUT /")],
    ])("on which %s arrives is handed to node:http immediately", async (_, bytes) => {
        const given = Promise.withResolvers<Buffer>();
        const { open, stop } = await lane({
            headersTimeoutSeconds: 60,
            handOver: (socket, read) => {
                given.resolve(read);
                socket.destroy();
            },
        });
        (await open()).write(bytes);
        expect(await given.promise).toEqual(bytes);
        stop();
    });

    test("with half a body is rejected eventually", async () => {
        const { open, stop } = await lane({ keepAliveSeconds: 60 });
        const socket = await open();
        socket.write("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\nhalf");
        expect(await everything(socket)).toBe("ERR_HTTP_REQUEST_TIMEOUT");
        stop();
    });

    test("with a request in progress is neither closed nor kept when the server closes", async () => {
        const answer = Promise.withResolvers<() => void>();
        const { open, stop, close } = await lane({
            serve: (_, response) => {
                answer.resolve(() => response.send(200, ["content-length", "0"], [], false));
            },
        });
        const [busy, idle] = [await open(), await open()];
        busy.write("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
        const send = await answer.promise;
        close();
        expect(await everything(idle)).toBe("");
        send();
        expect(await everything(busy)).toMatch(
            /^HTTP\/1\.1 200 OK\r\n.*\r\nconnection: close\r\n/s,
        );
        stop();
    });
});

describe("A head", () => {
    const lines = (...fields: readonly string[]): string =>
        ["POST /embed HTTP/1.1", "Host: a", ...fields, ""].join("\r\n");

    test("that is plain is parsed", () => {
        expect(readHead(lines("Content-Length: 12", "X-Word:  two words"))).toEqual({
            method: "POST",
            url: "/embed",
            length: 12,
            rawHeaders: ["Host", "a", "Content-Length", "12", "X-Word", "two words"],
        });
    });

    test.each([
        ["two lengths", ["content-length: 1", "content-length: 1"]],
        ["no length", []],
        ["a list of lengths", ["content-length: 1, 1"]],
        ["chunks", ["content-length: 1", "transfer-encoding: chunked"]],
        ["a wish for 100", ["content-length: 1", "expect: 100-continue"]],
        ["the end of the connection", ["content-length: 1", "connection: close"]],
        ["the end of the connection by a proxy", ["content-length: 1", "Proxy-Connection: close"]],
        ["another protocol", ["content-length: 1", "upgrade: h2c"]],
        ["another host", ["content-length: 1", "host: b"]],
        ["a folded field", ["content-length: 1", "x: a", " b"]],
        ["a space before the colon", ["content-length: 1", "x : a"]],
        [
            "more fields than anybody sends",
            [...Array<string>(101).fill("x: y"), "content-length: 1"],
        ],
    ])("with %s is left to the complete parser", (_, fields) => {
        expect(readHead(lines(...fields))).toBeUndefined();
    });
});
