import type { Resolved } from "../cache/item.ts";
import type { Resolver } from "../cache/resolve.ts";
import type { HotKeys } from "../hotkeys/hotKeys.ts";
import type { KeyOf } from "../key/key.ts";
import { account } from "../ledger/ledger.ts";
import type { Log } from "../log.ts";
import type { Metrics, Route } from "../metrics/metrics.ts";
import type { Caller, Gate } from "../tenants/gate.ts";
import { shortened } from "../vector/embedding.ts";
import { cacheHeader, type Render } from "./answer.ts";
import { readBody } from "./body.ts";
import { asHttpError } from "./error.ts";
import { keyedReader } from "./keyed.ts";
import type { Replies } from "./reply.ts";
import type { EmbeddingRequest } from "./request.ts";
import type { Handler } from "./router.ts";

export interface EmbeddingsParts {
    readonly gate: Gate;
    readonly keysOf: (tenant: string) => KeyOf;
    readonly resolver: Resolver;
    readonly hotKeys: Pick<HotKeys, "seen">;
    readonly metrics: Metrics;
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
    const { gate, keysOf, resolver, hotKeys, metrics, replies, log } = parts;
    const read = keyedReader(parse);

    return (request, response) => {
        metrics.began();
        let begun = performance.now();
        let caller: Caller | undefined;
        try {
            caller = gate.enter(request.rawHeaders);
        } catch (error) {
            // The body is thrown away unread.
            request.resume();
            fail(error);
            return;
        }
        const { tenant, headers, done } = caller;
        readBody(request, {
            done: (body) => {
                begun = performance.now();
                answer(body);
            },
            fail,
            gone: () => ended(499),
        });

        function answer(body: Buffer): void {
            let items = 0;
            try {
                const { request: wanted, items: looked } = read(body, keysOf(tenant.pool));
                items = looked.length;
                hotKeys.seen(looked, tenant.pool);
                const { dimensions } = wanted;
                const local = resolver.local(looked, { tenant: tenant.pool, dimensions });
                if (local) {
                    send(wanted, local);
                    return;
                }
                resolver
                    .resolve(looked, {
                        tenant: tenant.pool,
                        dimensions,
                        deadline: begun + TIMEOUT_MILLISECONDS,
                    })
                    .then((resolved) => send(wanted, resolved))
                    .catch((error: unknown) => failItems(error, items));
            } catch (error) {
                failItems(error, items);
            }
        }

        function send(wanted: EmbeddingRequest, whole: readonly Resolved[]): void {
            const { shortenTo } = wanted;
            const resolved = shortenTo === undefined ? whole : whole.map(shorten(shortenTo));
            const sum = account(resolved);
            replies.vectors(response, cacheHeader(sum), render(wanted, resolved, sum), headers);
            done(sum.missedTokens);
            metrics.answered(sum);
            ended(200);
        }

        function failItems(error: unknown, items: number): void {
            if (items > 0) metrics.failed(items);
            fail(error, items);
        }

        function fail(error: unknown, items = 1): void {
            const httpError = asHttpError(error, items);
            if (httpError.status >= 500) {
                const { message } = error instanceof Error ? error : httpError;
                log.warn({ route, status: httpError.status, error: message }, "Not answered");
            }
            replies.error(response, httpError);
            ended(httpError.status);
        }

        function ended(code: number): void {
            caller?.done(0);
            metrics.ended(route, code, (performance.now() - begun) / 1000);
        }
    };
}

function shorten(dimensions: number): (resolved: Resolved) => Resolved {
    return ({ embedding, status }) => ({ embedding: shortened(embedding, dimensions), status });
}
