import {
    createServer,
    STATUS_CODES,
    type IncomingMessage,
    type Server,
    type ServerResponse,
} from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { setTimeout as wait } from "node:timers/promises";

import { bodyTooLarge, MAX_BODY_BYTES } from "../protocol/requestBody.ts";
import { doors } from "./reusePortListeners.ts";
import { errorBody, HttpError } from "../protocol/error.ts";
import type { Handler } from "../protocol/exchange.ts";
import { expressLane, type ExpressLane } from "./fastHttp.ts";
import { openExchanges } from "./nodeConnections.ts";
import { Message, responseOf } from "./sinkableRequest.ts";
import { Portions } from "./slicedConnection.ts";

/** Longer than gateways keep idle connections, so that they close first and lose no request. */
const KEEP_ALIVE_SECONDS = 95;
/** Timeout of a head, from its first byte, and of a body, from the end of its head. */
const TIMEOUTS = { headersTimeoutSeconds: 10, requestTimeoutSeconds: 30 };
/**
 * Each connection may take 80 KiB. The longest-idle connection is closed for a new one; if none is idle, the
 * new one is rejected.
 */
const MOST_CONNECTIONS = 2_048;
/** node:http checks timeouts every 30 seconds by default. */
const OVERDUE_INTERVAL_MILLISECONDS = 1_000;

export interface DrainOptions {
    /** After this long without a request, the listeners close. */
    readonly quietMilliseconds: number;
    /** The listeners close after this long in any case. */
    readonly acceptMilliseconds: number;
    /** Then open connections are closed. */
    readonly timeoutMilliseconds: number;
}

export interface HttpServer {
    /** @throws Error with the remedy if the port is in use */
    readonly listen: (port: number, host?: string) => Promise<number>;
    /** @returns how many connections had to be closed forcibly */
    readonly drain: (options: DrainOptions) => Promise<number>;
}

export function httpServer(listener: Handler, mostConnections = MOST_CONNECTIONS): HttpServer {
    let lastRequest = 0;
    const serve: Handler = (request, response) => {
        lastRequest = performance.now();
        listener(request, response);
    };
    const server = nodeServer(serve);
    const express = expressFor(server, serve, mostConnections);
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

    /** Closes idle connections immediately, busy ones after their response, and the rest at the timeout. */
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

/** Creates a node:http server with our limits and error responses. */
export function nodeServer(serve: Handler, timeouts = TIMEOUTS): Server {
    const server = createServer(
        {
            IncomingMessage: Message,
            keepAliveTimeout: KEEP_ALIVE_SECONDS * 1000,
            headersTimeout: timeouts.headersTimeoutSeconds * 1000,
            requestTimeout: timeouts.requestTimeoutSeconds * 1000,
            connectionsCheckingInterval: OVERDUE_INTERVAL_MILLISECONDS,
            // Requests without it are rejected below, with a JSON error.
            requireHostHeader: false,
            noDelay: true,
        },
        (request, response) => {
            exchanges.begin(request, response);
            const fault = faultOf(request);
            if (fault) refuse(request, response, fault);
            else serve(request, responseOf(request, response));
        },
    );
    // A half-closed connection still receives its responses, as on the fast path.
    Object.assign(server, { httpAllowHalfOpen: true });
    const exchanges = openExchanges();
    server.on("checkExpectation", (request: Message, response: ServerResponse) => {
        exchanges.begin(request, response);
        const { expect = "" } = request.headers;
        const message = `Expect is ${expect.slice(0, 64)}; allowed: 100-continue`;
        refuse(request, response, new HttpError(417, message));
    });
    server.on("checkContinue", (request: Message, response: ServerResponse) => {
        if (Number(request.headers["content-length"] ?? 0) > MAX_BODY_BYTES) {
            exchanges.begin(request, response);
            refuse(request, response, bodyTooLarge());
            return;
        }
        response.writeContinue();
        server.emit("request", request, response);
    });
    // Without a listener, node:http would close the connection without a response.
    server.on("connect", (_: IncomingMessage, socket: Socket) => {
        socket.on("error", () => socket.destroy());
        exchanges.afterAnswers(
            socket,
            refusalOf(405, "This server is not a proxy", "allow: GET, POST\r\n"),
        );
    });
    server.on("clientError", (error: NodeJS.ErrnoException, socket: Socket) => {
        if (error.code === "ECONNRESET" || exchanges.isAnswered(socket)) socket.destroy();
        else exchanges.afterAnswers(socket, refusal(error.code));
    });
    return server;
}

/** Connections start on the fast path, which hands some of them to node:http. */
function expressFor(server: Server, serve: Handler, mostConnections: number): ExpressLane {
    const [byNode] = server.listeners("connection") as ((this: Server, socket: Duplex) => void)[];
    if (!byNode) throw new Error("node:http has no listener of connections");
    const express = expressLane({
        serve,
        handOver: (socket, read) => {
            socket.unshift(read);
            byNode.call(server, new Portions(socket));
        },
        refusal,
        keepAliveSeconds: KEEP_ALIVE_SECONDS,
        ...TIMEOUTS,
        mostConnections,
        endIdle: () => server.closeIdleConnections(),
    });
    server.removeAllListeners("connection");
    server.on("connection", express.take);
    return express;
}

/** Framing that proxies may interpret differently (RFC 9112, 3.2 and 6.1). */
function faultOf({ httpVersion, rawHeaders, headers }: IncomingMessage): HttpError | undefined {
    const names = rawHeaders.filter((_, at) => at % 2 === 0);
    const hosts = names.filter((name) => name.toLowerCase() === "host").length;
    if (hosts > 1 || (hosts === 0 && httpVersion !== "1.0")) {
        return new HttpError(400, `The request has ${hosts} Host headers; allowed: 1`);
    }
    const coding = headers["transfer-encoding"];
    if (coding === undefined || /^chunked$/i.test(coding)) return undefined;
    return new HttpError(501, `Transfer-Encoding is ${coding.slice(0, 64)}; allowed: chunked`);
}

function refuse(request: Message, response: ServerResponse, error: HttpError): void {
    const body = Buffer.from(errorBody(error));
    const headers = ["content-type", "application/json", "content-length", String(body.length)];
    request.resume();
    responseOf(request, response).send(error.status, headers, [body], true);
}

/** A request that is not valid HTTP has no response object; its response is JSON, too. */
function refusal(code: string | undefined): string {
    if (code === "ERR_TOO_MANY_CONNECTIONS")
        return refusalOf(503, "Too many connections", "retry-after: 1\r\n");
    const status =
        code === "HPE_HEADER_OVERFLOW" ? 431 : code === "ERR_HTTP_REQUEST_TIMEOUT" ? 408 : 400;
    return refusalOf(status, STATUS_CODES[status] ?? "");
}

function refusalOf(status: number, message: string, headers = ""): string {
    const body = errorBody(new HttpError(status, message));
    return (
        `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}\r\n${headers}connection: close\r\n` +
        `content-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
    );
}
