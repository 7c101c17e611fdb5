import type { Socket } from "node:net";

import type { Body, Handler } from "../protocol/exchange.ts";
import { FastExchange, type ExchangeConnection } from "./fastExchange.ts";
import { bodyLength, writeResponse } from "./pooledWriter.ts";
import { mustPause } from "./readThrottle.ts";
import {
    MAX_HEAD_BYTES,
    mayBecomeHead,
    parseRequestHead,
    type RequestHead,
} from "./requestHead.ts";
import { trackUnread } from "./unreadResponses.ts";

export type RejectionCode =
    "ERR_HTTP_REQUEST_TIMEOUT" | "HPE_INVALID_EOF_STATE" | "ERR_TOO_MANY_CONNECTIONS";

/** State that all connections of the fast path share. */
export interface FastPathState {
    /** Seconds of one shared clock: a timer per connection would cost more than the request. */
    now: number;
    /** No connection accepts a further request. */
    isClosing: boolean;
    readonly connections: Set<FastConnection>;
    readonly serve: Handler;
    readonly formatStatusLine: (status: number) => string;
    /** Headers and end of a head whose connection stays open. */
    readonly keepAlive: string;
    readonly formatError: (code: RejectionCode) => string;
    /** Hands the connection to node:http, with the bytes that were read and not handled. */
    readonly handOff: (socket: Socket, read: Buffer) => void;
    readonly keepAliveSeconds: number;
    readonly headersTimeoutSeconds: number;
    readonly requestTimeoutSeconds: number;
}

/** Time that a client may take to read a response. */
export const MAX_READ_SECONDS = 300;
const END_OF_HEAD = Buffer.from("\r\n\r\n");
const NOTHING = Buffer.alloc(0);

/** A connection on the fast path, with one request at a time. */
export class FastConnection implements ExchangeConnection {
    readonly #socket: Socket;
    readonly #state: FastPathState;
    /** Start of the idle time, or of the current head, body or response, in seconds of the shared clock. */
    #since: number;
    /** Bytes of an incomplete head. */
    #partialHead: Buffer = NOTHING;
    #exchange: FastExchange | undefined;
    #isHalfClosed = false;
    /** Called when the client has read a large response. */
    #onResponseRead: () => void = ignore;
    /** No further request is accepted on this connection. */
    #isLast = false;
    #lastHeadText = "";
    #lastHead: RequestHead | undefined;

    constructor(socket: Socket, state: FastPathState) {
        this.#socket = socket;
        this.#state = state;
        this.#since = state.now;
        state.connections.add(this);
        socket.on("data", this.#onData);
        socket.on("end", this.#onEnd);
        socket.on("error", ignore);
        socket.on("close", this.#onClose);
    }

    /** When it became idle, in seconds of the shared clock; undefined while it has a request or part of one. */
    idleSince(): number | undefined {
        return this.#exchange || this.#partialHead.length > 0 ? undefined : this.#since;
    }

    /** Called every second. */
    checkTimeouts(): void {
        const seconds = this.#state.now - this.#since;
        const exchange = this.#exchange;
        if (this.#isReceiving()) {
            if (seconds > this.#state.requestTimeoutSeconds)
                this.#reject("ERR_HTTP_REQUEST_TIMEOUT");
        } else if (exchange && !exchange.isSent()) return;
        else if (!exchange && this.#partialHead.length > 0) {
            if (seconds > this.#state.headersTimeoutSeconds)
                this.#reject("ERR_HTTP_REQUEST_TIMEOUT");
        } else if (seconds > (exchange ? MAX_READ_SECONDS : this.#state.keepAliveSeconds))
            this.#socket.destroy();
    }

    closeIfIdle(): void {
        if (this.idleSince() !== undefined) this.#socket.destroy();
    }

    destroy(): void {
        this.#socket.destroy();
    }

    readonly #onData = (chunk: Buffer): void => {
        if (this.#exchange) {
            const surplus = this.#exchange.feed(chunk);
            if (surplus !== undefined) this.#holdBack(surplus);
            else this.#throttleBody(chunk.length);
        } else {
            const partialHead = this.#partialHead;
            if (partialHead.length === 0) this.#since = this.#state.now;
            this.#readHead(partialHead.length === 0 ? chunk : Buffer.concat([partialHead, chunk]));
        }
    };

    #isReceiving(): boolean {
        return this.#exchange?.isReceiving() === true;
    }

    #throttleBody(bytes: number): void {
        if (this.#isReceiving() && mustPause(bytes, this.#continueBody)) this.#socket.pause();
    }

    readonly #continueBody = (): void => {
        if (this.#isReceiving()) this.#socket.resume();
    };

    /** Pipelined bytes: reading is paused until the response has been sent. */
    #holdBack(surplus: Buffer): void {
        this.#socket.pause();
        // The stream buffers them and emits its end afterwards.
        this.#socket.unshift(surplus);
        if (this.#exchange === undefined) setImmediate(this.#readNext);
    }

    #readHead(bytes: Buffer): void {
        this.#partialHead = NOTHING;
        const end = bytes.indexOf(END_OF_HEAD);
        if (end < 0 ? bytes.length > MAX_HEAD_BYTES : end > MAX_HEAD_BYTES) {
            this.#handOff(bytes);
            return;
        }
        if (end < 0) {
            // An invalid request is handed off now instead of at its timeout.
            if (mayBecomeHead(bytes)) this.#partialHead = bytes;
            else this.#handOff(bytes);
            return;
        }
        // Clients usually repeat the same head.
        const text = bytes.toString("latin1", 0, end + 2);
        const head = text === this.#lastHeadText ? this.#lastHead : parseRequestHead(text);
        if (head === undefined) {
            this.#handOff(bytes);
            return;
        }
        const bodyStart = end + END_OF_HEAD.length;
        const bodyEnd = bodyStart + head.length;
        this.#lastHeadText = text;
        this.#lastHead = head;
        this.#since = this.#state.now;
        const exchange = new FastExchange(head, bytes.subarray(bodyStart, bodyEnd), this);
        this.#exchange = exchange;
        if (bytes.length > bodyEnd) this.#holdBack(bytes.subarray(bodyEnd));
        this.#state.serve(exchange, exchange);
        this.#throttleBody(bytes.length);
    }

    send(status: number, headers: readonly string[], body: Body, close: boolean): void {
        this.#since = this.#state.now;
        this.#isLast = close || this.#state.isClosing || this.#isHalfClosed;
        let head = this.#state.formatStatusLine(status);
        for (let at = 0; at < headers.length; at += 2) {
            head += `${headers[at] ?? ""}: ${headers[at + 1] ?? ""}\r\n`;
        }
        head += this.#isLast ? "connection: close\r\n\r\n" : this.#state.keepAlive;
        if (writeResponse(this.#socket, head, body, this.#onFlushed)) this.#onFlushed();
        else this.#onResponseRead = trackUnread(bodyLength(body), () => this.destroy());
    }

    /** The socket has the whole response. */
    readonly #onFlushed = (): void => {
        this.#onResponseRead();
        if (this.#isLast) this.#closeAfterResponse();
        this.#exchange?.onFlushed();
    };

    /** A client that is still sending when its connection is closed would not see the response. */
    #closeAfterResponse(): void {
        if (this.#isReceiving()) this.#socket.end();
        else this.#socket.destroySoon();
    }

    readonly onExchangeEnd = (): void => {
        const socket = this.#socket;
        if (socket.writableNeedDrain && socket.writableLength > 0) {
            // A client that does not read its responses must not fill the memory.
            socket.pause();
            socket.once("drain", this.onExchangeEnd);
            return;
        }
        this.#exchange = undefined;
        this.#since = this.#state.now;
        if (socket.writableEnded || this.#isHalfClosed || this.#state.isClosing)
            socket.destroySoon();
        else if (socket.isPaused()) setImmediate(this.#readNext);
    };

    /** Pipelined requests are answered one per turn, so that other clients are served in between. */
    readonly #readNext = (): void => {
        if (this.#state.connections.has(this)) this.#socket.resume();
    };

    #handOff(bytes: Buffer): void {
        this.#state.connections.delete(this);
        this.#socket.off("data", this.#onData);
        this.#socket.off("end", this.#onEnd);
        this.#socket.off("error", ignore);
        this.#socket.off("close", this.#onClose);
        this.#socket.pause();
        this.#state.handOff(this.#socket, bytes);
    }

    #reject(code: RejectionCode): void {
        if (this.#exchange?.isSent() === true) this.#socket.destroy();
        else this.#socket.end(this.#state.formatError(code), () => this.#socket.destroy());
    }

    /** The client has half-closed the connection, and still receives its response. */
    readonly #onEnd = (): void => {
        this.#isHalfClosed = true;
        const exchange = this.#exchange;
        if (this.#isReceiving() || (!exchange && this.#partialHead.length > 0))
            this.#reject("HPE_INVALID_EOF_STATE");
        else if (!exchange) this.#socket.end();
    };

    readonly #onClose = (): void => {
        this.#state.connections.delete(this);
        this.#onResponseRead();
        this.#exchange?.onAborted();
    };
}

export function ignore(): void {
    // The close event follows and is handled.
}
