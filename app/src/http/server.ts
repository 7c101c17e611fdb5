import { createServer, type Server } from "node:http";
import type { Socket } from "node:net";
import { setTimeout as wait } from "node:timers/promises";

import { doors } from "./doors.ts";
import { errorBody, HttpError } from "./error.ts";
import type { Handler } from "./exchange.ts";
import { expressLane, type ExpressLane } from "./express.ts";
import { Message, responseOf } from "./message.ts";

/** Longer than gateways keep idle connections, so that they close first and lose no request. */
const KEEP_ALIVE_SECONDS = 95;
const HEADERS_TIMEOUT_SECONDS = 10;
const REQUEST_TIMEOUT_SECONDS = 30;

export interface DrainOptions {
    /** Without a request for so long, nobody sends any more: the listener closes. */
    readonly quietMilliseconds: number;
    /** Then it closes anyway. */
    readonly acceptMilliseconds: number;
    /** Then open requests are cut off. */
    readonly timeoutMilliseconds: number;
}

export interface HttpServer {
    /** @throws Error that tells what to do when the port is taken. */
    readonly listen: (port: number, host?: string) => Promise<number>;
    /** @returns how many connections had to be cut off. */
    readonly drain: (options: DrainOptions) => Promise<number>;
}

export function httpServer(listener: Handler): HttpServer {
    let lastRequest = 0;
    const serve: Handler = (request, response) => {
        lastRequest = performance.now();
        listener(request, response);
    };
    const server = nodeServer(serve);
    const express = expressFor(server, serve);
    const entrance = doors(server, express.take);

    return {
        listen: entrance.listen,
        drain: async ({ quietMilliseconds, acceptMilliseconds, timeoutMilliseconds }) => {
            const begun = performance.now();
            const elapsed = (): number => performance.now() - begun;
            const quiet = (): boolean =>
                performance.now() - Math.max(lastRequest, begun) >= quietMilliseconds;
            while (!quiet() && elapsed() < acceptMilliseconds) await wait(20);
            return end(timeoutMilliseconds - elapsed());
        },
    };

    /** Idle connections end at once, busy ones after their answer, and what is left when time is up. */
    async function end(milliseconds: number): Promise<number> {
        const closed = entrance.close();
        express.close();
        const timer = Promise.withResolvers<"late">();
        const timeout = setTimeout(() => timer.resolve("late"), Math.max(0, milliseconds));
        const outcome = await Promise.race([closed, timer.promise]);
        clearTimeout(timeout);
        const left = outcome === "late" ? await entrance.count() : 0;
        express.cutOff();
        server.closeAllConnections();
        return left;
    }
}

/** A complete server of its own, with our limits and our words for what is not HTTP. */
export function nodeServer(serve: Handler): Server {
    const server = createServer(
        {
            IncomingMessage: Message,
            keepAliveTimeout: KEEP_ALIVE_SECONDS * 1000,
            headersTimeout: HEADERS_TIMEOUT_SECONDS * 1000,
            requestTimeout: REQUEST_TIMEOUT_SECONDS * 1000,
            noDelay: true,
        },
        (request, response) => serve(request, responseOf(response)),
    );
    server.on("clientError", (error: NodeJS.ErrnoException, socket) => {
        if (error.code === "ECONNRESET" || !socket.writable) {
            socket.destroy();
            return;
        }
        socket.end(refusal(error.code));
    });
    return server;
}

/** Connections begin in the express lane; node:http has those that it gives away. */
function expressFor(server: Server, serve: Handler): ExpressLane {
    const [byNode] = server.listeners("connection") as ((this: Server, socket: Socket) => void)[];
    if (!byNode) throw new Error("node:http has no listener of connections");
    const express = expressLane({
        serve,
        handOver: (socket, read) => {
            socket.unshift(read);
            byNode.call(server, socket);
        },
        refusal,
        keepAliveSeconds: KEEP_ALIVE_SECONDS,
        requestTimeoutSeconds: REQUEST_TIMEOUT_SECONDS,
    });
    server.removeAllListeners("connection");
    server.on("connection", express.take);
    return express;
}

/** A request that is not even HTTP has no response object; it still gets an answer in JSON. */
function refusal(code: string | undefined): string {
    const status =
        code === "HPE_HEADER_OVERFLOW"
            ? "431 Request Header Fields Too Large"
            : code === "ERR_HTTP_REQUEST_TIMEOUT"
              ? "408 Request Timeout"
              : "400 Bad Request";
    const body = errorBody(new HttpError(400, status.slice(4)));
    return (
        `HTTP/1.1 ${status}\r\nconnection: close\r\ncontent-type: application/json\r\n` +
        `content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
    );
}
