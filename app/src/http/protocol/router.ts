import { PATHS } from "@property-search/contract";

import { withRequestCount } from "./countRequests.ts";
import { HttpError } from "./error.ts";
import { MAX_FEEDBACK_BYTES } from "./feedbackRequest.ts";
import { MAX_BODY_BYTES } from "./requestBody.ts";
import type { Handler, HttpRequest, HttpResponse } from "./exchange.ts";
import type { Responder } from "./responder.ts";

/** Handlers by path. Each path has one method; GET includes HEAD. */
export interface Routes {
    readonly post: Readonly<Record<string, Handler>>;
    readonly get: Readonly<Record<string, Handler>>;
    /** Creates a more specific error for an unknown path, if possible. */
    readonly findPathError?: (path: string) => HttpError | undefined;
}

const SLASH = 0x2f;
/** Servers must accept the absolute form (RFC 9112, 3.2.2); the authority is ignored. */
const AUTHORITY = /^https?:\/\/[^/?#]*/i;
const METHODS = ["GET", "HEAD", "POST", "OPTIONS"] as const;

/** @param onUnmatchedEnd called with the status of each response that no route gives */
export function createRouter(
    { post, get, findPathError }: Routes,
    responder: Responder,
    onUnmatchedEnd: (code: number) => void = () => undefined,
): Handler {
    const posts = new Map(Object.entries(post));
    const gets = new Map(Object.entries(get));
    const respondToUnmatched = withRequestCount(unmatched, onUnmatchedEnd);

    return (request, response) => {
        const { method } = request;
        const path = pathOf(request.url);
        const handler =
            method === "POST"
                ? posts.get(path)
                : method === "GET" || method === "HEAD"
                  ? gets.get(path)
                  : undefined;
        if (handler) handler(request, response);
        else respondToUnmatched(request, response);
    };

    function unmatched(request: HttpRequest, response: HttpResponse): void {
        const path = pathOf(request.url);
        request.resume();
        const allowed = METHODS.filter(
            (method) =>
                path === "*" ||
                method === "OPTIONS" ||
                (method === "POST" ? posts.has(path) : gets.has(path)),
        );
        const allow = ["allow", allowed.join(", ")];
        const [, another] = allowed;
        if (another === undefined)
            responder.sendError(response, findPathError?.(path) ?? pathNotFoundError(path));
        else if (request.method === "OPTIONS") responder.sendEmpty(response, 204, allow);
        else {
            const message = `This path does not support ${request.method ?? ""}; allowed: ${allowed.join(", ")}`;
            responder.sendError(response, new HttpError(405, message), allow);
        }
    }
}

function pathOf(url = "/"): string {
    const target = url.charCodeAt(0) === SLASH ? url : url.replace(AUTHORITY, "");
    const query = target.indexOf("?");
    return (query < 0 ? target : target.slice(0, query)) || "/";
}

/** Largest body that the route of a target reads. */
export function maxBodyBytesOf(url?: string): number {
    return pathOf(url) === PATHS.feedback ? MAX_FEEDBACK_BYTES : MAX_BODY_BYTES;
}

function pathNotFoundError(path: string): HttpError {
    const paths = [PATHS.embed, PATHS.embeddings, PATHS.feedback, PATHS.models, PATHS.health];
    const shown = JSON.stringify(path.slice(0, 128));
    return new HttpError(404, `The path ${shown} does not exist; allowed: ${paths.join(", ")}`);
}
