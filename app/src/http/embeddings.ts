import { HEADERS, type CacheResult } from "@property-search/contract";

import type { Resolved } from "../cache/item.ts";
import type { Resolver } from "../cache/resolve.ts";
import type { HotKeys } from "../hotkeys/hotKeys.ts";
import type { KeyOf } from "../key/key.ts";
import { account, RESULTS } from "../ledger/account.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { Log } from "../log.ts";
import type { Route, ServiceMetrics } from "../metrics/service.ts";
import type { Caller, Gate } from "../tenants/gate.ts";
import type { Tracing } from "../tracing/tracing.ts";
import { shortened } from "../vector/embedding.ts";
import { cacheHeader, type Render } from "./answer.ts";
import { readBody } from "./body.ts";
import { asHttpError, HttpError } from "./error.ts";
import type { Handler } from "./exchange.ts";
import { header, requestId } from "./headers.ts";
import { keyedReader, type KeyedRequest } from "./keyed.ts";
import type { Replies } from "./reply.ts";
import { itemName, type EmbeddingRequest } from "./request.ts";
import type { TokenLimits } from "./tokenLimits.ts";

export interface EmbeddingsParts {
    readonly gate: Gate;
    readonly keysOf: (tenant: string) => KeyOf;
    readonly resolver: Resolver;
    readonly hotKeys: Pick<HotKeys, "seen">;
    readonly tooLong: TokenLimits;
    readonly metrics: ServiceMetrics;
    readonly ledger: Pick<Ledger, "answered">;
    readonly tracing: Tracing;
    readonly replies: Replies;
    readonly log: Log;
}

/** From a request's last byte: after it, an answer of the upstream is not waited for. */
const TIMEOUT_MILLISECONDS = 25_000;

/** One way to ask for embeddings: how the body is read and how the answer is written. */
export interface EmbeddingsRoute {
    readonly route: Route;
    readonly parse: (body: Buffer) => EmbeddingRequest;
    readonly render: Render;
}

/** Answers a POST. A request whose items are all in this process is answered in the same turn. */
export function embeddingsHandler(
    parts: EmbeddingsParts,
    { route, parse, render }: EmbeddingsRoute,
): Handler {
    const { gate, keysOf, resolver, hotKeys, tooLong, replies, log } = parts;
    const { metrics, ledger, tracing } = parts;
    const read = keyedReader(parse);

    return (request, response) => {
        metrics.began();
        let begun = performance.now();
        const { rawHeaders } = request;
        const id = requestId(rawHeaders, HEADERS.requestId);
        const span = tracing.begin(`POST ${route}`, rawHeaders);
        let caller: Caller | undefined;
        try {
            caller = gate.enter(rawHeaders);
        } catch (error) {
            // The body is thrown away unread.
            request.resume();
            fail(error);
            return;
        }
        const { tenant, headers, done } = caller;
        const more = [HEADERS.requestId, id, ...headers];
        readBody(request, {
            done: (body) => {
                begun = performance.now();
                answer(body);
            },
            fail,
            gone: () => ended(499, "error"),
        });

        function answer(body: Buffer): void {
            let keyed: KeyedRequest | undefined;
            try {
                keyed = read(body, keysOf(tenant.pool));
                const { request: wanted, items: looked } = keyed;
                hotKeys.seen(looked, tenant.pool);
                const { dimensions } = wanted;
                const local = resolver.local(looked, {
                    pool: tenant.pool,
                    tenant: tenant.id,
                    dimensions,
                });
                if (local) {
                    send(wanted, local);
                    return;
                }
                const deadline = begun + TIMEOUT_MILLISECONDS;
                const scope = {
                    pool: tenant.pool,
                    tenant: tenant.id,
                    purpose: "request",
                    dimensions,
                    deadline,
                    span,
                } as const;
                const resolve = () => resolver.resolve(looked, scope);
                const checking = tooLong(wanted);
                (checking === undefined ? resolve() : checking.then(resolve))
                    .then((resolved) => send(wanted, resolved))
                    .catch((error: unknown) => failItems(error, keyed));
            } catch (error) {
                failItems(error, keyed);
            }
        }

        function send(wanted: EmbeddingRequest, whole: readonly Resolved[]): void {
            const { shortenTo } = wanted;
            const resolved = shortenTo === undefined ? whole : whole.map(shorten(shortenTo));
            const sum = account(resolved);
            replies.vectors(
                response,
                cacheHeader(sum, resolved.length),
                render(wanted, resolved, sum),
                more,
            );
            done(sum.missedTokens);
            metrics.answered(sum);
            ledger.answered(tenant.id, sum);
            ended(200, RESULTS[sum.slowest], resolved.length);
        }

        function failItems(error: unknown, keyed: KeyedRequest | undefined): void {
            if (keyed) metrics.failed(keyed.items.length);
            // It was read as it came, and could only by chance be JSON.
            const encoding = header(rawHeaders, "content-encoding");
            if (!keyed && encoding !== undefined && encoding !== "identity") {
                const message = `content-encoding is ${encoding.slice(0, 64)}; allowed: identity`;
                fail(new HttpError(415, message));
            } else fail(error, keyed?.request);
        }

        function fail(error: unknown, wanted?: EmbeddingRequest): void {
            const httpError = asHttpError(error, (item) =>
                wanted && item !== undefined ? itemName(wanted, item) : (wanted?.field ?? "input"),
            );
            if (httpError.status >= 500) {
                const { message } = error instanceof Error ? error : httpError;
                log.warn({ ...names(), status: httpError.status, error: message }, "Not answered");
            }
            replies.error(response, httpError, [HEADERS.requestId, id]);
            ended(httpError.status, "error", 0, error);
        }

        function ended(code: number, result: CacheResult, items = 0, error?: unknown): void {
            caller?.done(0);
            const seconds = (performance.now() - begun) / 1000;
            metrics.ended(route, result, code, seconds);
            // The level may change while the pod runs.
            if (log.level === "debug")
                log.debug({ ...names(), status: code, result, items, seconds }, "Request");
            span?.end(
                {
                    "http.request.method": "POST",
                    "http.route": route,
                    "http.response.status_code": code,
                    "embedding.result": result,
                    "embedding.items": items,
                },
                code >= 500 ? error : undefined,
            );
        }

        /** What finds the request again in the client's logs and in the traces. */
        function names(): Record<string, string | undefined> {
            return { route, requestId: id, tenant: caller?.tenant.id, traceId: span?.traceId };
        }
    };
}

function shorten(dimensions: number): (resolved: Resolved) => Resolved {
    return ({ embedding, status }) => ({ embedding: shortened(embedding, dimensions), status });
}
