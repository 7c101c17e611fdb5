import { STATUS_CODES } from "node:http";
import type { Socket } from "node:net";

import { countUnread } from "./unreadResponses.ts";
import { lengthOf, write } from "./pooledWriter.ts";
import type { BodySink, Body, Handler, HttpRequest, HttpResponse } from "../protocol/exchange.ts";
import { MAX_HEAD_BYTES, mayBecomeHead, readHead, type Head } from "./requestHead.ts";
import { mustPause } from "./readThrottle.ts";

/**
 * The fast path serves plain requests, which are nearly all, directly on the socket. At the first request
 * that is not plain, it hands the connection with all bytes read to node:http. Per request, node:http takes
 * three times as long as the kernel (docs/service/performance.md), and a hit needs little else.
 */
export interface ExpressLane {
    readonly take: (socket: Socket) => void;
    /** Closes idle connections now, and the others after their response. */
    readonly close: () => void;
    /** Closes all remaining connections. */
    readonly cutOff: () => void;
}

export interface ExpressOptions {
    readonly serve: Handler;
    /** Takes over a paused connection, with the bytes that were read and not handled. */
    readonly handOver: (socket: Socket, read: Buffer) => void;
    /** Response to an incomplete request; node:http creates its own. */
    readonly refusal: (
        code: "ERR_HTTP_REQUEST_TIMEOUT" | "HPE_INVALID_EOF_STATE" | "ERR_TOO_MANY_CONNECTIONS",
    ) => string;
    readonly keepAliveSeconds: number;
    /** Timeouts of a head, from its first byte, and of a body, from the end of the head. */
    readonly headersTimeoutSeconds: number;
    readonly requestTimeoutSeconds: number;
    /** Including the connections handed to node:http. */
    readonly mostConnections: number;
    /** Closes connections of node:http without a request. */
    readonly endIdle: () => void;
}

/** Time that a client may take to read a response. */
const READ_SECONDS = 300;
const END_OF_HEAD = Buffer.from("\r\n\r\n");
const NOTHING = Buffer.alloc(0);

/** Progress of a connection that was handed to node:http. */
interface Seen {
    bytes: number;
    since: number;
}

interface Connection {
    /**
     * When it became idle, in seconds of the shared clock; undefined while it has a request or a part of one.
     */
    readonly idleSince: () => number | undefined;
    /** Called every second. */
    readonly tick: () => void;
    readonly closing: () => void;
    readonly destroy: () => void;
}

export function expressLane(options: ExpressOptions): ExpressLane {
    const { serve, handOver, refusal } = options;
    const { keepAliveSeconds, headersTimeoutSeconds, requestTimeoutSeconds } = options;
    const { mostConnections, endIdle } = options;
    const connections = new Set<Connection>();
    const handedOver = new Map<Socket, Seen>();
    const keepAlive = `connection: keep-alive\r\nkeep-alive: timeout=${keepAliveSeconds}\r\n\r\n`;
    let closing = false;
    let now = 0;
    let date = "";

    // One shared clock: a timer per connection would cost more than the request.
    const clock = setInterval(() => {
        now += 1;
        date = "";
        for (const connection of connections) connection.tick();
        for (const [socket, seen] of handedOver) look(socket, seen);
        if (closing) endIdle();
    }, 1000).unref();

    /** node:http has no timeout for clients that do not read, or that do not disconnect after an error. */
    function look(socket: Socket, seen: Seen): void {
        const isOver = socket.writableFinished;
        const bytes = isOver ? -1 : socket.bytesRead + socket.bytesWritten;
        if (bytes !== seen.bytes) Object.assign(seen, { bytes, since: now });
        const most = isOver ? (closing ? 0 : requestTimeoutSeconds) : READ_SECONDS;
        if (now - seen.since > most) socket.destroy();
    }

    /** Makes room for a connection by closing a finished one, or the one that has been idle longest. */
    function hasRoom(): boolean {
        if (connections.size + handedOver.size < mostConnections) return true;
        for (const socket of handedOver.keys()) {
            if (!socket.writableFinished) continue;
            handedOver.delete(socket);
            socket.destroy();
            return true;
        }
        let idlest: Connection | undefined;
        let since = Infinity;
        for (const connection of connections) {
            const own = connection.idleSince() ?? Infinity;
            if (own >= since) continue;
            since = own;
            idlest = connection;
        }
        if (idlest) {
            connections.delete(idlest);
            idlest.destroy();
        } else endIdle();
        return idlest !== undefined;
    }

    function take(socket: Socket): void {
        if (!hasRoom()) {
            socket.on("error", ignore);
            socket.end(refusal("ERR_TOO_MANY_CONNECTIONS"), () => socket.destroy());
            return;
        }
        let since = now;
        /** Bytes of an incomplete head. */
        let held: Buffer = NOTHING;
        let request: Exchange | undefined;
        let halfClosed = false;
        /** Called when the client has read a large response. */
        let read: () => void = ignore;
        /** No further request is accepted on this connection. */
        let last = false;
        let lastText = "";
        let lastHead: Head | undefined;
        const wire: Wire = { send, finished, socket };

        const connection: Connection = {
            idleSince: () => (request || held.length > 0 ? undefined : since),
            tick: () => {
                const seconds = now - since;
                if (isReceiving()) {
                    if (seconds > requestTimeoutSeconds) refuse("ERR_HTTP_REQUEST_TIMEOUT");
                } else if (request && !request.sent()) return;
                else if (!request && held.length > 0) {
                    if (seconds > headersTimeoutSeconds) refuse("ERR_HTTP_REQUEST_TIMEOUT");
                } else if (seconds > (request ? READ_SECONDS : keepAliveSeconds)) socket.destroy();
            },
            closing: () => {
                if (!request && held.length === 0) socket.destroy();
            },
            destroy: () => void socket.destroy(),
        };
        connections.add(connection);
        socket.on("data", onData);
        socket.on("end", onEnd);
        socket.on("error", ignore);
        socket.on("close", onClose);

        function onData(chunk: Buffer): void {
            if (request) {
                const surplus = request.feed(chunk);
                if (surplus !== undefined) hold(surplus);
                else if (isReceiving() && mustPause(chunk.length, readOn)) socket.pause();
            } else {
                if (held.length === 0) since = now;
                begin(held.length === 0 ? chunk : Buffer.concat([held, chunk]));
            }
        }

        function isReceiving(): boolean {
            return request?.receiving() === true;
        }

        function readOn(): void {
            if (isReceiving()) socket.resume();
        }

        /** Pipelined bytes: reading is paused until the response has been sent. */
        function hold(surplus: Buffer): void {
            socket.pause();
            // The stream buffers them and emits its end afterwards.
            socket.unshift(surplus);
            if (request === undefined) setImmediate(readNext);
        }

        function begin(bytes: Buffer): void {
            held = NOTHING;
            const end = bytes.indexOf(END_OF_HEAD);
            if (end < 0 ? bytes.length > MAX_HEAD_BYTES : end > MAX_HEAD_BYTES) {
                giveAway(bytes);
                return;
            }
            if (end < 0) {
                // An invalid request is handed off now instead of at its timeout.
                if (mayBecomeHead(bytes)) held = bytes;
                else giveAway(bytes);
                return;
            }
            // Clients usually repeat the same head.
            const text = bytes.toString("latin1", 0, end + 2);
            const head = text === lastText ? lastHead : readHead(text);
            if (head === undefined) {
                giveAway(bytes);
                return;
            }
            const body = end + END_OF_HEAD.length;
            const next = body + head.length;
            lastText = text;
            lastHead = head;
            since = now;
            request = new Exchange(head, bytes.subarray(body, next), wire);
            if (bytes.length > next) hold(bytes.subarray(next));
            serve(request, request);
        }

        function send(
            status: number,
            headers: readonly string[],
            body: Body,
            close: boolean,
        ): void {
            since = now;
            last = close || closing || halfClosed;
            let head = statusLine(status);
            for (let at = 0; at < headers.length; at += 2) {
                head += `${headers[at] ?? ""}: ${headers[at + 1] ?? ""}\r\n`;
            }
            head += last ? "connection: close\r\n\r\n" : keepAlive;
            if (write(socket, head, body, given)) given();
            else read = countUnread(lengthOf(body), connection.destroy);
        }

        /** The socket has the whole response. */
        function given(): void {
            read();
            if (last) leave();
            request?.given();
        }

        /** A client that is still sending when its connection is closed would not see the response. */
        function leave(): void {
            if (isReceiving()) socket.end();
            else socket.destroySoon();
        }

        /** The request has arrived completely and is answered. */
        function finished(): void {
            if (socket.writableNeedDrain && socket.writableLength > 0) {
                // A client that does not read its responses must not fill the memory.
                socket.pause();
                socket.once("drain", finished);
                return;
            }
            request = undefined;
            since = now;
            if (socket.writableEnded || halfClosed || closing) socket.destroySoon();
            else if (socket.isPaused()) setImmediate(readNext);
        }

        /** Pipelined requests are answered one per turn, so that other clients are served in between. */
        function readNext(): void {
            if (connections.has(connection)) socket.resume();
        }

        function giveAway(bytes: Buffer): void {
            forget();
            socket.off("data", onData);
            socket.off("end", onEnd);
            socket.off("error", ignore);
            socket.off("close", onClose);
            socket.pause();
            handedOver.set(socket, { bytes: 0, since: now });
            socket.once("close", () => handedOver.delete(socket));
            handOver(socket, bytes);
        }

        function refuse(code: Parameters<typeof refusal>[0]): void {
            if (request?.sent() === true) socket.destroy();
            else socket.end(refusal(code), () => socket.destroy());
        }

        /** The client has half-closed the connection, and still receives its response. */
        function onEnd(): void {
            halfClosed = true;
            if (isReceiving() || (!request && held.length > 0)) refuse("HPE_INVALID_EOF_STATE");
            else if (!request) socket.end();
        }

        function onClose(): void {
            forget();
            read();
            request?.gone();
        }

        function forget(): void {
            connections.delete(connection);
        }
    }

    function statusLine(status: number): string {
        date ||= `date: ${new Date().toUTCString()}\r\n`;
        return `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}\r\n${date}`;
    }

    return {
        take,
        close: () => {
            closing = true;
            for (const connection of connections) connection.closing();
        },
        cutOff: () => {
            clearInterval(clock);
            for (const connection of connections) connection.destroy();
            for (const socket of handedOver.keys()) socket.destroy();
        },
    };
}

function ignore(): void {
    // The close event follows and is handled.
}

interface Wire {
    readonly send: HttpResponse["send"];
    readonly finished: () => void;
    readonly socket: Socket;
}

/** One request and its response. */
class Exchange implements HttpRequest, HttpResponse {
    readonly method: string;
    readonly url: string;
    readonly rawHeaders: readonly string[];
    readonly #wire: Wire;
    #missing: number;
    #begun: Buffer | undefined;
    #sink: BodySink | undefined;
    #sent = false;
    #given = false;

    constructor({ method, url, rawHeaders, length }: Head, begun: Buffer, wire: Wire) {
        this.method = method;
        this.url = url;
        this.rawHeaders = rawHeaders;
        this.#missing = length - begun.length;
        this.#begun = begun;
        this.#wire = wire;
    }

    sent(): boolean {
        return this.#sent;
    }

    /** Whether part of the body has not arrived yet. */
    receiving(): boolean {
        return this.#missing > 0;
    }

    whole(): Buffer | undefined {
        return this.#missing === 0 ? this.#begun : undefined;
    }

    readInto(sink: BodySink): void {
        this.#sink = sink;
        const begun = this.#begun;
        this.#begun = undefined;
        if (begun !== undefined && begun.length > 0) sink.chunk(begun);
        if (this.#missing === 0) sink.end();
    }

    resume(): void {
        this.#begun = undefined;
    }

    /** @returns the bytes after the end of the body */
    feed(chunk: Buffer): Buffer | undefined {
        if (this.#missing === 0) return chunk;
        const part = chunk.length > this.#missing ? chunk.subarray(0, this.#missing) : chunk;
        const surplus = part === chunk ? undefined : chunk.subarray(part.length);
        this.#missing -= part.length;
        this.#sink?.chunk(part);
        if (this.#missing === 0) {
            this.#sink?.end();
            if (this.#given) this.#wire.finished();
        }
        return surplus;
    }

    gone(): void {
        if (this.#missing > 0) this.#sink?.gone();
    }

    send(status: number, headers: readonly string[], body: Body, close: boolean): void {
        this.#sent = true;
        this.#wire.send(status, headers, body, close);
    }

    given(): void {
        this.#given = true;
        if (this.#missing === 0) this.#wire.finished();
    }

    abort(): void {
        this.#wire.socket.destroy();
    }
}
