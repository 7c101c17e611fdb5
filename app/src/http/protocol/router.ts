import { PATHS } from "@property-search/contract";

import { HttpError } from "./error.ts";
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

export function createRouter({ post, get, findPathError }: Routes, responder: Responder): Handler {
    const posts = new Map(Object.entries(post));
    const gets = new Map(Object.entries(get));

    return (request, response) => {
        const { method, url = "/" } = request;
        const path = pathOf(url);
        const handler =
            method === "POST"
                ? posts.get(path)
                : method === "GET" || method === "HEAD"
                  ? gets.get(path)
                  : undefined;
        if (handler) handler(request, response);
        else respondToUnmatched(path, request, response);
    };

    function respondToUnmatched(path: string, request: HttpRequest, response: HttpResponse): void {
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

function pathOf(url: string): string {
    const target = url.charCodeAt(0) === SLASH ? url : url.replace(AUTHORITY, "");
    const query = target.indexOf("?");
    return (query < 0 ? target : target.slice(0, query)) || "/";
}

function pathNotFoundError(path: string): HttpError {
    const paths = [PATHS.embed, PATHS.embeddings, PATHS.feedback, PATHS.models, PATHS.health];
    const shown = JSON.stringify(path.slice(0, 128));
    return new HttpError(404, `The path ${shown} does not exist; allowed: ${paths.join(", ")}`);
}
