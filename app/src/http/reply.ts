import type { ServerResponse } from "node:http";

import { HEADERS } from "@property-search/contract";

import type { Body } from "./answer.ts";
import { errorBody, type HttpError } from "./error.ts";

export interface Replies {
    readonly vectors: (
        response: ServerResponse,
        cache: string,
        body: Body,
        more: readonly string[],
    ) => void;
    readonly error: (
        response: ServerResponse,
        error: HttpError,
        headers?: readonly string[],
    ) => void;
    readonly text: (
        response: ServerResponse,
        status: number,
        type: string,
        body: string,
        headers?: readonly string[],
    ) => void;
}

export interface ReplyOptions {
    readonly colour: string;
    readonly version: string;
    /** While true, every answer asks the client to come back on another connection. */
    readonly draining: () => boolean;
}

export const JSON_TYPE = "application/json";

/** Headers go out as one flat list: the fastest form that node:http takes. */
export function replies(options: ReplyOptions): Replies {
    const served = [
        HEADERS.servedBy,
        options.colour,
        HEADERS.servedVersion,
        options.version,
    ] as const;

    function head(response: ServerResponse, status: number, headers: string[]): void {
        headers.push(...served);
        if (options.draining()) headers.push("connection", "close");
        response.writeHead(status, headers);
    }

    function text(
        response: ServerResponse,
        status: number,
        type: string,
        body: string,
        headers: readonly string[] = [],
    ): void {
        const length = String(Buffer.byteLength(body));
        head(response, status, ["content-type", type, "content-length", length, ...headers]);
        response.end(body);
    }

    return {
        text,
        vectors: (response, cache, body, more) => {
            head(response, 200, [
                "content-type",
                JSON_TYPE,
                "content-length",
                String(body.length),
                HEADERS.cache,
                cache,
                ...more,
            ]);
            if (typeof body === "string") response.end(body, "latin1");
            else response.end(body);
        },
        error: (response, error, more = []) => {
            if (response.headersSent) {
                response.destroy();
                return;
            }
            const { retryAfterSeconds } = error;
            const retry = retryAfterSeconds ? ["retry-after", String(retryAfterSeconds)] : [];
            // What is left of a refused body would be taken for the next request.
            if (error.status === 413) response.shouldKeepAlive = false;
            text(response, error.status, JSON_TYPE, errorBody(error), [...retry, ...more]);
        },
    };
}
