import {
    createServer,
    STATUS_CODES,
    type IncomingMessage,
    type Server,
    type ServerResponse,
} from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";

import { waitForQuiet } from "@property-search/contract";
import { bodyTooLargeError } from "../protocol/requestBody.ts";
import { maxBodyBytesOf } from "../protocol/router.ts";
import { createListeners } from "./reusePortListeners.ts";
import { formatError, HttpError } from "../protocol/error.ts";
import type { Handler } from "../protocol/exchange.ts";
import { createFastPath, type FastPath } from "./fastHttp.ts";
import { createNodeConnections } from "./nodeConnections.ts";
import { SinkableRequest, createNodeResponse } from "./sinkableRequest.ts";
import { SlicedConnection } from "./slicedConnection.ts";

/** Longer than gateways keep idle connections, so that they close first and lose no request. */
const KEEP_ALIVE_SECONDS = 95;
/** Timeout of a head, from its first byte, and of a body, from the end of its head. */
const TIMEOUTS = { headersTimeoutSeconds: 10, requestTimeoutSeconds: 30 };
/**
 * Each connection may take 80 KiB. The longest-idle connection is closed for a new one; if none is idle, the
 * new one is rejected.
 */
const MAX_CONNECTIONS = 2_048;
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

export function createHttpServer(listener: Handler, maxConnections = MAX_CONNECTIONS): HttpServer {
    let requests = 0;
    const serve: Handler = (request, response) => {
        requests += 1;
        listener(request, response);
    };
    const server = createNodeServer(serve);
    const fastPath = createFastPathFor(server, serve, maxConnections);
    const listeners = createListeners(server, fastPath.accept);

    return {
        listen: listeners.listen,
        drain: async ({ quietMilliseconds, acceptMilliseconds, timeoutMilliseconds }) => {
            const start = performance.now();
            await waitForQuiet(() => requests, quietMilliseconds, acceptMilliseconds);
            return closeAll(timeoutMilliseconds - (performance.now() - start));
        },
    };

    /** Closes idle connections immediately, busy ones after their response, and the rest at the timeout. */
    async function closeAll(milliseconds: number): Promise<number> {
        const closed = listeners.close();
        fastPath.close();
        const timer = Promise.withResolvers<"late">();
        const timeout = setTimeout(() => timer.resolve("late"), Math.max(0, milliseconds));
        const outcome = await Promise.race([closed, timer.promise]);
        clearTimeout(timeout);
        const remaining = outcome === "late" ? await listeners.countConnections() : 0;
        fastPath.destroyAll();
        server.closeAllConnections();
        return remaining;
    }
}

/** Creates a node:http server with our limits and error responses. */
export function createNodeServer(serve: Handler, timeouts = TIMEOUTS): Server {
    const server = createServer(
        {
            IncomingMessage: SinkableRequest,
            keepAliveTimeout: KEEP_ALIVE_SECONDS * 1000,
            headersTimeout: timeouts.headersTimeoutSeconds * 1000,
            requestTimeout: timeouts.requestTimeoutSeconds * 1000,
            connectionsCheckingInterval: OVERDUE_INTERVAL_MILLISECONDS,
            // Requests without it are rejected below, with a JSON error.
            requireHostHeader: false,
            noDelay: true,
        },
        (request, response) => {
            connections.onRequest(request, response);
            const error = framingError(request);
            if (error) reject(request, response, error);
            else serve(request, createNodeResponse(request, response));
        },
    );
    // A half-closed connection still receives its responses, as on the fast path.
    Object.assign(server, { httpAllowHalfOpen: true });
    const connections = createNodeConnections();
    server.on("checkExpectation", (request: SinkableRequest, response: ServerResponse) => {
        connections.onRequest(request, response);
        const { expect = "" } = request.headers;
        const message = `Expect is ${expect.slice(0, 64)}; allowed: 100-continue`;
        reject(request, response, new HttpError(417, message));
    });
    server.on("checkContinue", (request: SinkableRequest, response: ServerResponse) => {
        const maxBytes = maxBodyBytesOf(request.url);
        if (Number(request.headers["content-length"] ?? 0) > maxBytes) {
            connections.onRequest(request, response);
            reject(request, response, bodyTooLargeError(maxBytes));
            return;
        }
        response.writeContinue();
        server.emit("request", request, response);
    });
    // Without a listener, node:http would close the connection without a response.
    server.on("connect", (_: IncomingMessage, socket: Socket) => {
        socket.on("error", () => socket.destroy());
        connections.endAfterResponses(
            socket,
            formatRawError(405, "This server is not a proxy", "allow: GET, POST\r\n"),
        );
    });
    server.on("clientError", (error: NodeJS.ErrnoException, socket: Socket) => {
        if (error.code === "ECONNRESET" || connections.hasEarlyResponse(socket)) socket.destroy();
        else connections.endAfterResponses(socket, formatClientError(error.code));
    });
    return server;
}

/** Connections start on the fast path, which hands some of them to node:http. */
function createFastPathFor(server: Server, serve: Handler, maxConnections: number): FastPath {
    const [onNodeConnection] = server.listeners("connection") as ((
        this: Server,
        socket: Duplex,
    ) => void)[];
    if (!onNodeConnection) throw new Error("node:http has no connection listener");
    const fastPath = createFastPath({
        serve,
        handOff: (socket, read) => {
            socket.unshift(read);
            onNodeConnection.call(server, new SlicedConnection(socket));
        },
        formatError: formatClientError,
        keepAliveSeconds: KEEP_ALIVE_SECONDS,
        ...TIMEOUTS,
        maxConnections,
        closeIdle: () => server.closeIdleConnections(),
    });
    server.removeAllListeners("connection");
    server.on("connection", fastPath.accept);
    return fastPath;
}

/** Framing that proxies may interpret differently (RFC 9112, 3.2 and 6.1). */
function framingError({
    httpVersion,
    rawHeaders,
    headers,
}: IncomingMessage): HttpError | undefined {
    const names = rawHeaders.filter((_, at) => at % 2 === 0);
    const hosts = names.filter((name) => name.toLowerCase() === "host").length;
    if (hosts > 1 || (hosts === 0 && httpVersion !== "1.0")) {
        return new HttpError(400, `The request has ${hosts} Host headers; allowed: 1`);
    }
    const coding = headers["transfer-encoding"];
    if (coding === undefined || /^chunked$/i.test(coding)) return undefined;
    return new HttpError(501, `Transfer-Encoding is ${coding.slice(0, 64)}; allowed: chunked`);
}

function reject(request: SinkableRequest, response: ServerResponse, error: HttpError): void {
    const body = Buffer.from(formatError(error));
    const headers = ["content-type", "application/json", "content-length", String(body.length)];
    request.resume();
    createNodeResponse(request, response).send(error.status, headers, [body], true);
}

/** A request that is not valid HTTP has no response object; its response is JSON, too. */
function formatClientError(code: string | undefined): string {
    if (code === "ERR_TOO_MANY_CONNECTIONS")
        return formatRawError(503, "Too many connections", "retry-after: 1\r\n");
    const status =
        code === "HPE_HEADER_OVERFLOW" ? 431 : code === "ERR_HTTP_REQUEST_TIMEOUT" ? 408 : 400;
    return formatRawError(status, STATUS_CODES[status] ?? "");
}

function formatRawError(status: number, message: string, headers = ""): string {
    const body = formatError(new HttpError(status, message));
    return (
        `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}\r\n${headers}connection: close\r\n` +
        `content-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
    );
}
