import { IncomingMessage, type ServerResponse } from "node:http";

import { trackUnread } from "./unreadResponses.ts";
import { BUFFER_BYTES, bodyLength } from "./pooledWriter.ts";
import type { BodySink, HttpRequest, HttpResponse } from "../protocol/exchange.ts";
import { mustPause } from "./readThrottle.ts";

const NOTHING = Buffer.alloc(0);

/**
 * A node:http request that passes its body to a sink in the turn in which it is parsed. As a stream, the body
 * would arrive two ticks later through a buffer, which takes a fifth of node:http's time per request. Without
 * a sink it is an ordinary stream.
 */
export class SinkableRequest extends IncomingMessage implements HttpRequest {
    #sink: BodySink | undefined;
    #onComplete: (() => void) | undefined;
    #isPaused = false;

    bufferedBody(): undefined {
        return undefined;
    }

    readInto(sink: BodySink): void {
        this.#sink = sink;
    }

    /** Calls back when the whole body has arrived. */
    whenComplete(callback: () => void): void {
        if (this.complete) callback();
        else this.#onComplete = callback;
    }

    override push(chunk: Buffer | null): boolean {
        if (chunk === null) this.#onComplete?.();
        if (this.#sink === undefined) return super.push(chunk);
        if (chunk !== null) {
            this.#sink.onChunk(chunk);
            // A body in many small chunks may deliver more of them in the same turn.
            this.#isPaused ||= mustPause(chunk.length, () => {
                this.#isPaused = false;
                if (!this.complete) this._read(0);
            });
            return !this.#isPaused;
        }
        // Marks the stream as consumed; otherwise the server would drain it after the response.
        this._read(0);
        this.#sink.onEnd();
        return false;
    }

    override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
        if (!this.complete) this.#sink?.onAborted();
        super._destroy(error, callback);
    }
}

/** A response through node:http. */
export function createNodeResponse(
    request: SinkableRequest,
    response: ServerResponse,
): HttpResponse {
    return {
        isSent: () => response.headersSent,
        send: (status, headers, body, close) => {
            if (close) response.shouldKeepAlive = false;
            response.writeHead(status, headers as string[]);
            // Corked: head and pieces are sent in one system call.
            response.cork();
            // Otherwise the head would overtake a pending "100 Continue".
            response.flushHeaders();
            const length = bodyLength(body);
            // Closing a connection while its client is sending resets it and loses the response.
            const end = (): void => {
                if (close) request.whenComplete(() => response.end());
                else response.end();
            };
            for (const piece of body) response.write(piece);
            if (length > BUFFER_BYTES) {
                const read = trackUnread(length, () => void response.destroy());
                response.once("close", read);
                // node:http considers an ended response as read, and its connection as idle.
                response.write(NOTHING, end);
            } else end();
            response.uncork();
        },
        abort: () => void response.destroy(),
    };
}
