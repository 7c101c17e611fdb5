import { once } from "node:events";
import { connect, type Socket } from "node:net";

import { afterEach, describe, expect, test } from "@jest/globals";

import { createHttpServer, type HttpServer } from "../../src/http/transport/server.ts";

/** node:http makes one call per chunk, however short. */
const CHUNK = "1\r\na\r\n";
const CHUNKS = 20_000;
/** What one read of a socket holds: a turn ends by the clock, and so earlier on any machine but a very fast one. */
const CHUNKS_A_READ = (64 * 1024) / CHUNK.length;

let server: HttpServer;

afterEach(() =>
    server.drain({ quietMilliseconds: 0, acceptMilliseconds: 0, timeoutMilliseconds: 0 }),
);

test("a body of minimal chunks is read in many turns, and completely", async () => {
    let chunks = 0;
    let mostInTurn = 0;
    let inTurn = 0;
    const count = (): void => {
        if ((inTurn += 1) === 1) setImmediate(() => (inTurn = 0));
        chunks += 1;
        mostInTurn = Math.max(mostInTurn, inTurn);
    };
    server = createHttpServer((request, response) => {
        request.readInto({
            onChunk: count,
            onEnd: () => response.send(200, ["content-length", "0"], [], true),
            onAborted: () => undefined,
        });
    });
    const socket = connect(await server.listen(0, "127.0.0.1"), "127.0.0.1");
    const head = "POST /embed HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n";
    socket.write(`${head}${CHUNK.repeat(CHUNKS)}0\r\n\r\n`);
    const [answer] = (await once(socket, "data")) as [Buffer];
    expect(answer.toString()).toMatch(/^HTTP\/1\.1 200 /);
    expect(chunks).toBe(CHUNKS);
    expect(mostInTurn).toBeLessThan(CHUNKS_A_READ / 2);
    socket.destroy();
});

test("a body in one piece is read in few turns, as on the fast path", async () => {
    const bytes = 2 * 1024 * 1024;
    let received = 0;
    let turns = 0;
    server = createHttpServer((request, response) => {
        request.readInto({
            onChunk: (chunk) => (received += chunk.length),
            onEnd: () => response.send(200, ["content-length", "0"], [], true),
            onAborted: () => undefined,
        });
    });
    const socket = connect(await server.listen(0, "127.0.0.1"), "127.0.0.1");
    const answered = new Promise<string>((resolve) => {
        socket.on("data", (data) => {
            if (data.includes(" 200 ")) resolve(data.toString());
        });
    });
    // Under load a turn takes some milliseconds.
    const busy = setInterval(() => {
        turns += 1;
        for (const begun = performance.now(); performance.now() - begun < 2;);
    }, 0);
    const expect100 = `expect: 100-continue\r\ncontent-length: ${bytes}\r\n\r\n`;
    socket.write(`POST /embed HTTP/1.1\r\nhost: a\r\n${expect100}`);
    socket.write(Buffer.alloc(bytes, "a"));
    await answered;
    clearInterval(busy);
    expect(received).toBe(bytes);
    expect(turns).toBeLessThan(bytes / (8 * 1024));
    socket.destroy();
});

test("a large response that is being read is not cut off when the service closes", async () => {
    const bytes = 16 * 1024 * 1024;
    const headers = ["content-length", String(bytes)];
    server = createHttpServer((request, response) => {
        const end = (): void => response.send(200, headers, [Buffer.alloc(bytes, "a")], false);
        request.readInto({ onChunk: () => undefined, onEnd: end, onAborted: () => undefined });
    });
    const socket = connect(await server.listen(0, "127.0.0.1"), "127.0.0.1");
    socket.write("POST /embed HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n");
    await once(socket, "readable");
    const times = { quietMilliseconds: 0, acceptMilliseconds: 0, timeoutMilliseconds: 10_000 };
    const drained = server.drain(times);
    let received = 0;
    socket.on("data", (chunk: Buffer) => (received += chunk.length));
    await once(socket, "close");
    expect(received).toBeGreaterThan(bytes);
    expect(await drained).toBe(0);
});

describe("clients rejected by node:http that do not disconnect", () => {
    const MOST = 8;
    const REFUSED = ["GARBAGE\r\n\r\n", "CONNECT a:1 HTTP/1.1\r\nhost: a\r\n\r\n"];

    async function refusedClients(port: number): Promise<readonly Socket[]> {
        const staying = Array.from({ length: MOST }, () =>
            connect({ port, host: "127.0.0.1", allowHalfOpen: true }),
        );
        for (const [at, socket] of staying.entries()) {
            socket.on("error", () => undefined);
            socket.write(REFUSED[at % REFUSED.length] ?? "");
            socket.resume();
            await once(socket, "end");
        }
        return staying;
    }

    async function listen(): Promise<number> {
        const headers = ["content-length", "0"];
        server = createHttpServer((_, response) => response.send(200, headers, [], false), MOST);
        return server.listen(0, "127.0.0.1");
    }

    test("make room for others", async () => {
        const port = await listen();
        const staying = await refusedClients(port);
        const other = connect(port, "127.0.0.1");
        other.write("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
        const [answer] = (await once(other, "data")) as [Buffer];
        expect(answer.toString()).toMatch(/^HTTP\/1\.1 200 /);
        for (const socket of [...staying, other]) socket.destroy();
    });

    test("do not delay the end of the service", async () => {
        const staying = await refusedClients(await listen());
        const times = { quietMilliseconds: 0, acceptMilliseconds: 0, timeoutMilliseconds: 30_000 };
        expect(await server.drain(times)).toBe(0);
        for (const socket of staying) socket.destroy();
    });
});
