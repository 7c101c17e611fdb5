import { once } from "node:events";
import { connect, createServer as createNetServer, type Socket } from "node:net";
import { setTimeout as wait } from "node:timers/promises";
import { describe, expect, test } from "@jest/globals";
import { createFastPath, type FastPathOptions } from "../../src/http/transport/fastHttp.ts";
import { createNodeServer } from "../../src/http/transport/server.ts";
import { parseResponses, echo, listen } from "../support/httpConversation.ts";

describe("A connection of the fast path", () => {
    /** A server of the fast path only, with short limits. */
    async function startFastPath(options: Partial<FastPathOptions> = {}) {
        const opened = createFastPath({
            serve: echo,
            handOff: (socket) => void socket.destroy(),
            formatError: (code) => code,
            keepAliveSeconds: 1,
            headersTimeoutSeconds: 1,
            requestTimeoutSeconds: 1,
            maxConnections: 100,
            closeIdle: () => undefined,
            ...options,
        });
        const server = createNetServer({ allowHalfOpen: true }, opened.accept);
        const port = await listen(server);
        return {
            open: async (): Promise<Socket> => {
                const socket = connect(port, "127.0.0.1");
                await once(socket, "connect");
                return socket;
            },
            stop: () => {
                opened.destroyAll();
                server.close();
            },
            close: opened.close,
        };
    }

    test("beyond the maximum replaces the longest-idle one, or is rejected", async () => {
        const server = await startFastPath({ maxConnections: 2, keepAliveSeconds: 60 });
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
        const server = await startFastPath({
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
        const received = parseResponses(await everything(socket));
        running = false;
        const bodies = received.map(({ body }) => (JSON.parse(body) as { body: string }).body);
        expect(bodies.map((text) => Number(atob(text)))).toEqual(sent);
        expect(new Set(turns).size).toBe(sent.length);
        server.stop();
    });

    async function everything(socket: Socket): Promise<string> {
        const received: Buffer[] = [];
        socket.on("data", (chunk: Buffer) => received.push(chunk));
        await once(socket, "close");
        return Buffer.concat(received).toString();
    }

    test("that is idle for too long is closed", async () => {
        const { open, stop } = await startFastPath();
        const socket = await open();
        expect(await everything(socket)).toBe("");
        stop();
    });

    test("with half a head is rejected eventually, however slowly it continues", async () => {
        const { open, stop } = await startFastPath({ keepAliveSeconds: 60 });
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
        const received = Promise.withResolvers<Buffer>();
        const { open, stop } = await startFastPath({
            headersTimeoutSeconds: 60,
            handOff: (socket, read) => {
                received.resolve(read);
                socket.destroy();
            },
        });
        (await open()).write(bytes);
        expect(await received.promise).toEqual(bytes);
        stop();
    });

    test("with half a body is rejected eventually", async () => {
        const { open, stop } = await startFastPath({ keepAliveSeconds: 60 });
        const socket = await open();
        socket.write("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\nhalf");
        expect(await everything(socket)).toBe("ERR_HTTP_REQUEST_TIMEOUT");
        stop();
    });

    test("with a request in progress is neither closed nor kept when the server closes", async () => {
        const answer = Promise.withResolvers<() => void>();
        const { open, stop, close } = await startFastPath({
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

describe("A connection of node:http", () => {
    test.each([
        ["a head", "POST /echo HTTP/1.1\r\nhost: a\r\n"],
        ["a body", "POST /echo HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{"],
    ])("with half of %s is rejected in time", async (_, half) => {
        const server = createNodeServer(echo, {
            headersTimeoutSeconds: 1,
            requestTimeoutSeconds: 1,
        });
        const port = await listen(server);
        const socket = connect(port, "127.0.0.1");
        const begun = performance.now();
        socket.write(half);
        const received: Buffer[] = [];
        socket.on("data", (chunk: Buffer) => received.push(chunk));
        await once(socket, "close");
        expect(Buffer.concat(received).toString()).toMatch(/^HTTP\/1\.1 408 /);
        // By default node:http would check after 30 seconds.
        expect(performance.now() - begun).toBeLessThan(15_000);
        server.close();
    });
});
