import type { Body, BodySink, HttpRequest, HttpResponse } from "../protocol/exchange.ts";
import type { RequestHead } from "./requestHead.ts";

/** The connection of an exchange, as the exchange uses it. */
export interface ExchangeConnection {
    readonly send: HttpResponse["send"];
    /** The request has arrived completely, and the socket has the whole response. */
    readonly onExchangeEnd: () => void;
    readonly destroy: () => void;
}

/** One request on the fast path, and its response. */
export class FastExchange implements HttpRequest, HttpResponse {
    readonly method: string;
    readonly url: string;
    readonly rawHeaders: readonly string[];
    readonly #connection: ExchangeConnection;
    #missingBytes: number;
    /** Part of the body that arrived with the head. */
    #received: Buffer | undefined;
    #sink: BodySink | undefined;
    #isSent = false;
    #isFlushed = false;

    constructor(
        { method, url, rawHeaders, length }: RequestHead,
        received: Buffer,
        connection: ExchangeConnection,
    ) {
        this.method = method;
        this.url = url;
        this.rawHeaders = rawHeaders;
        this.#missingBytes = length - received.length;
        this.#received = received;
        this.#connection = connection;
    }

    isSent(): boolean {
        return this.#isSent;
    }

    /** Whether part of the body has not arrived yet. */
    isReceiving(): boolean {
        return this.#missingBytes > 0;
    }

    bufferedBody(): Buffer | undefined {
        return this.#missingBytes === 0 ? this.#received : undefined;
    }

    readInto(sink: BodySink): void {
        this.#sink = sink;
        const received = this.#received;
        this.#received = undefined;
        if (received !== undefined && received.length > 0) sink.onChunk(received);
        if (this.#missingBytes === 0) sink.onEnd();
    }

    resume(): void {
        this.#received = undefined;
    }

    /** @returns the bytes after the end of the body */
    feed(chunk: Buffer): Buffer | undefined {
        if (this.#missingBytes === 0) return chunk;
        const part =
            chunk.length > this.#missingBytes ? chunk.subarray(0, this.#missingBytes) : chunk;
        const surplus = part === chunk ? undefined : chunk.subarray(part.length);
        this.#missingBytes -= part.length;
        this.#sink?.onChunk(part);
        if (this.#missingBytes === 0) {
            this.#sink?.onEnd();
            if (this.#isFlushed) this.#connection.onExchangeEnd();
        }
        return surplus;
    }

    onAborted(): void {
        if (this.#missingBytes > 0) this.#sink?.onAborted();
    }

    send(status: number, headers: readonly string[], body: Body, close: boolean): void {
        this.#isSent = true;
        this.#connection.send(status, headers, body, close);
    }

    onFlushed(): void {
        this.#isFlushed = true;
        if (this.#missingBytes === 0) this.#connection.onExchangeEnd();
    }

    abort(): void {
        this.#connection.destroy();
    }
}
