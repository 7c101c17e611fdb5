import { HEADERS } from "@property-search/contract";

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
import { asHttpError, HttpError } from "./error.ts";
import { header, requestId } from "./headers.ts";
import { keyedReader, type KeyedRequest } from "./keyed.ts";
import type { Replies } from "./reply.ts";
import { itemName, type EmbeddingRequest } from "./request.ts";
import type { Handler } from "./router.ts";
import type { TokenLimits } from "./tokenLimits.ts";

export interface EmbeddingsParts {
    readonly gate: Gate;
    readonly keysOf: (tenant: string) => KeyOf;
    readonly resolver: Resolver;
    readonly hotKeys: Pick<HotKeys, "seen">;
    readonly tooLong: TokenLimits;
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
    const { gate, keysOf, resolver, hotKeys, tooLong, metrics, replies, log } = parts;
    const read = keyedReader(parse);

    return (request, response) => {
        metrics.began();
        let begun = performance.now();
        const { rawHeaders } = request;
        const id = requestId(rawHeaders, HEADERS.requestId);
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
            gone: () => ended(499),
        });

        function answer(body: Buffer): void {
            let keyed: KeyedRequest | undefined;
            try {
                keyed = read(body, keysOf(tenant.pool));
                const { request: wanted, items: looked } = keyed;
                hotKeys.seen(looked, tenant.pool);
                const { dimensions } = wanted;
                const local = resolver.local(looked, { tenant: tenant.pool, dimensions });
                if (local) {
                    send(wanted, local);
                    return;
                }
                const deadline = begun + TIMEOUT_MILLISECONDS;
                const scope = { tenant: tenant.pool, dimensions, deadline };
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
            replies.vectors(response, cacheHeader(sum), render(wanted, resolved, sum), more);
            done(sum.missedTokens);
            metrics.answered(sum);
            ended(200);
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
                log.warn(
                    { route, requestId: id, status: httpError.status, error: message },
                    "Not answered",
                );
            }
            replies.error(response, httpError, [HEADERS.requestId, id]);
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
