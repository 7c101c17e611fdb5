import { PATHS } from "@property-search/contract";

import { HttpError } from "./error.ts";
import type { Handler, HttpRequest, HttpResponse } from "./exchange.ts";
import { JSON_TYPE, type Replies } from "./reply.ts";

/** Handlers by path; each path has one method, and GET includes HEAD. */
export interface Routes {
    readonly post: Readonly<Record<string, Handler>>;
    readonly get: Readonly<Record<string, Handler>>;
}

export function router({ post, get }: Routes, replies: Replies): Handler {
    const posts = new Map(Object.entries(post));
    const gets = new Map(Object.entries(get));

    return (request, response) => {
        const { method, url = "/" } = request;
        const query = url.indexOf("?");
        const path = query < 0 ? url : url.slice(0, query);
        const handler =
            method === "POST"
                ? posts.get(path)
                : method === "GET" || method === "HEAD"
                  ? gets.get(path)
                  : undefined;
        if (handler) handler(request, response);
        else refuse(path, request, response);
    };

    function refuse(path: string, request: HttpRequest, response: HttpResponse): void {
        request.resume();
        const allow = posts.has(path) ? "POST" : gets.has(path) ? "GET, HEAD" : undefined;
        const error =
            allow === undefined
                ? new HttpError(404, `There is nothing here; see ${PATHS.health}`)
                : new HttpError(405, `This path takes ${allow}`);
        if (allow === undefined) replies.error(response, error);
        else {
            const body = JSON.stringify({
                error: { message: error.message, type: error.type, param: null, code: null },
            });
            replies.text(response, 405, JSON_TYPE, body, ["allow", allow]);
        }
    }
}
