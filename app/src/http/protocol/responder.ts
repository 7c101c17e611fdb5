import { validateHeaderValue } from "node:http";

import { HEADERS } from "@property-search/contract";

import { formatError, type HttpError } from "./error.ts";
import type { Body, HttpResponse } from "./exchange.ts";

export interface Responder {
    readonly sendVectors: (
        response: HttpResponse,
        cache: string,
        body: Body,
        more: readonly string[],
    ) => void;
    /** A response without a body. */
    readonly sendEmpty: (response: HttpResponse, status: 204, headers: readonly string[]) => void;
    readonly sendError: (
        response: HttpResponse,
        error: HttpError,
        headers?: readonly string[],
    ) => void;
    readonly sendText: (
        response: HttpResponse,
        status: number,
        type: string,
        body: string,
        headers?: readonly string[],
    ) => void;
}

export interface ResponderOptions {
    readonly colour: string;
    readonly version: string;
    /** While true, each response asks the client to use another connection. */
    readonly isDraining: () => boolean;
}

export const JSON_TYPE = "application/json";
/** Required for a 401 (RFC 9110, 15.5.2). */
export const CHALLENGE = ["www-authenticate", 'Bearer realm="embeddings"'] as const;

/** Sends headers as one flat list, without lookups, copies or sorting. */
export function createResponder(options: ResponderOptions): Responder {
    const { colour, version, isDraining } = options;
    const servedByHeaders = [HEADERS.servedBy, colour, HEADERS.servedVersion, version] as const;
    validateHeaderValue(HEADERS.servedBy, colour);
    validateHeaderValue(HEADERS.servedVersion, version);

    function sendText(
        response: HttpResponse,
        status: number,
        type: string,
        body: string,
        headers: readonly string[] = [],
    ): void {
        const bytes = Buffer.from(body);
        const length = String(bytes.length);
        const all = [
            "content-type",
            type,
            "content-length",
            length,
            ...headers,
            ...servedByHeaders,
        ];
        // Otherwise the rest of a rejected body would be parsed as the next request.
        response.send(status, all, [bytes], status === 413 || isDraining());
    }

    return {
        sendText,
        sendEmpty: (response, status, headers) => {
            response.send(status, [...headers, ...servedByHeaders], [], isDraining());
        },
        sendVectors: (response, cache, body, more) => {
            let length = 0;
            for (const piece of body) length += piece.length;
            const headers = [
                "content-type",
                JSON_TYPE,
                "content-length",
                String(length),
                HEADERS.cache,
                cache,
                ...servedByHeaders,
                ...more,
            ];
            response.send(200, headers, body, isDraining());
        },
        sendError: (response, error, more = []) => {
            if (response.isSent()) {
                response.abort();
                return;
            }
            const { status, retryAfterSeconds } = error;
            const retry = retryAfterSeconds ? ["retry-after", String(retryAfterSeconds)] : [];
            const challenge = status === 401 ? CHALLENGE : [];
            sendText(response, status, JSON_TYPE, formatError(error), [
                ...challenge,
                ...retry,
                ...more,
            ]);
        },
    };
}
