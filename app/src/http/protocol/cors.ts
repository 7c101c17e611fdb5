import { HEADERS } from "@property-search/contract";

import type { Handler, HttpResponse } from "./exchange.ts";
import { getHeader } from "../headers.ts";
import type { Responder } from "./responder.ts";

const PREFLIGHT_SECONDS = "7200";
/** SDKs send a dozen headers of their own, all of which are accepted. */
const REQUESTED = /^[\w-]+( *, *[\w-]+)*$/;
const MAX_REQUESTED_CHARACTERS = 1_024;
const EXPOSED = [
    ...Object.values(HEADERS),
    "retry-after",
    "x-ratelimit-limit-requests",
    "x-ratelimit-remaining-requests",
].join(", ");

/**
 * Allows pages of these origins to read responses (https://fetch.spec.whatwg.org/#http-cors-protocol) and
 * answers preflights. Without origins, requests are not inspected.
 *
 * @param origins as browsers send them, or `*` for all
 */
export function withCors(
    origins: readonly string[],
    handler: Handler,
    responder: Responder,
): Handler {
    if (origins.length === 0) return handler;
    const isAnyAllowed = origins.includes("*");
    const allowed = new Set(origins);

    return (request, response) => {
        const { method, rawHeaders } = request;
        const origin = getHeader(rawHeaders, "origin");
        if (origin === undefined || !(isAnyAllowed || allowed.has(origin))) {
            handler(request, response);
            return;
        }
        const headers = [
            "access-control-allow-origin",
            isAnyAllowed ? "*" : origin,
            "vary",
            "origin",
        ];
        const isPreflight =
            method === "OPTIONS" &&
            getHeader(rawHeaders, "access-control-request-method") !== undefined;
        if (isPreflight) {
            request.resume();
            const requestedHeaders = getHeader(rawHeaders, "access-control-request-headers") ?? "";
            responder.sendEmpty(response, 204, [...headers, ...preflight(requestedHeaders)]);
        } else {
            const exposed = [...headers, "access-control-expose-headers", EXPOSED];
            handler(request, withHeaders(response, exposed));
        }
    };
}

function preflight(requestedHeaders: string): readonly string[] {
    const isPlain =
        requestedHeaders.length <= MAX_REQUESTED_CHARACTERS && REQUESTED.test(requestedHeaders);
    return [
        "access-control-allow-methods",
        "GET, POST",
        "access-control-allow-headers",
        isPlain ? requestedHeaders : "authorization, content-type",
        "access-control-max-age",
        PREFLIGHT_SECONDS,
    ];
}

function withHeaders(response: HttpResponse, more: readonly string[]): HttpResponse {
    return {
        isSent: () => response.isSent(),
        send: (status, headers, body, close) =>
            response.send(status, [...headers, ...more], body, close),
        abort: () => response.abort(),
    };
}
