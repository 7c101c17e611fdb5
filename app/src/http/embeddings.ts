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
import type { LookupScope } from "../scope.ts";
import type { Span, Tracing } from "../tracing/tracing.ts";
import { shortened } from "../vector/embedding.ts";
import { cacheHeader, type Render } from "./answer.ts";
import { readBody } from "./body.ts";
import { asHttpError, HttpError } from "./error.ts";
import type { Handler, HttpResponse } from "./exchange.ts";
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

/** A request on its way to its answer. */
interface Work {
    readonly response: HttpResponse;
    readonly rawHeaders: readonly string[];
    readonly id: string;
    readonly span: Span | undefined;
    caller: Caller | undefined;
    /** When its last byte came. */
    begun: number;
}

/**
 * Answers a POST. A request whose items are all in this process is answered in the same turn, without a
 * promise or a closure of its own.
 */
export function embeddingsHandler(
    parts: EmbeddingsParts,
    { route, parse, render }: EmbeddingsRoute,
): Handler {
    const { gate, keysOf, resolver, hotKeys, tooLong, replies, log } = parts;
    const { metrics, ledger, tracing } = parts;
    const read = keyedReader(parse);
    const spanName = `POST ${route}`;

    function answer(work: Work, caller: Caller, body: Buffer): void {
        const { tenant } = caller;
        let keyed: KeyedRequest | undefined;
        try {
            keyed = read(body, keysOf(tenant.pool));
            const { request: wanted, items } = keyed;
            hotKeys.seen(items, tenant.pool);
            const { dimensions } = wanted;
            const asked = { pool: tenant.pool, tenant: tenant.id, dimensions };
            const local = resolver.local(items, asked);
            if (local) send(work, caller, wanted, local);
            else void resolve(work, caller, keyed, asked);
        } catch (error) {
            failItems(work, error, keyed);
        }
    }

    async function resolve(
        work: Work,
        caller: Caller,
        keyed: KeyedRequest,
        asked: LookupScope,
    ): Promise<void> {
        const { request: wanted, items } = keyed;
        const { begun, span } = work;
        try {
            const checking = tooLong(wanted);
            if (checking) await checking;
            const deadline = begun + TIMEOUT_MILLISECONDS;
            const scope = { ...asked, purpose: "request", deadline, span } as const;
            send(work, caller, wanted, await resolver.resolve(items, scope));
        } catch (error) {
            failItems(work, error, keyed);
        }
    }

    function send(
        work: Work,
        caller: Caller,
        wanted: EmbeddingRequest,
        whole: readonly Resolved[],
    ): void {
        const { shortenTo } = wanted;
        const resolved = shortenTo === undefined ? whole : whole.map(shorten(shortenTo));
        const sum = account(resolved);
        replies.vectors(
            work.response,
            cacheHeader(sum, resolved.length),
            render(wanted, resolved, sum),
            [HEADERS.requestId, work.id, ...caller.headers],
        );
        caller.done(sum.missedTokens);
        metrics.answered(sum);
        ledger.answered(caller.tenant.id, sum);
        ended(work, 200, RESULTS[sum.slowest], resolved.length);
    }

    function failItems(work: Work, error: unknown, keyed: KeyedRequest | undefined): void {
        if (keyed) metrics.failed(keyed.items.length);
        // It was read as it came, and could only by chance be JSON.
        const encoding = header(work.rawHeaders, "content-encoding");
        if (!keyed && encoding !== undefined && encoding !== "identity") {
            const message = `content-encoding is ${encoding.slice(0, 64)}; allowed: identity`;
            fail(work, new HttpError(415, message));
        } else fail(work, error, keyed?.request);
    }

    function fail(work: Work, error: unknown, wanted?: EmbeddingRequest): void {
        const httpError = asHttpError(error, (item) =>
            wanted && item !== undefined ? itemName(wanted, item) : (wanted?.field ?? "input"),
        );
        if (httpError.status >= 500) {
            const { message } = error instanceof Error ? error : httpError;
            log.warn({ ...names(work), status: httpError.status, error: message }, "Not answered");
        }
        replies.error(work.response, httpError, [HEADERS.requestId, work.id]);
        ended(work, httpError.status, "error", 0, error);
    }

    function ended(
        work: Work,
        code: number,
        result: CacheResult,
        items = 0,
        error?: unknown,
    ): void {
        work.caller?.done(0);
        const seconds = (performance.now() - work.begun) / 1000;
        metrics.ended(route, result, code, seconds);
        // The level may change while the pod runs.
        if (log.level === "debug")
            log.debug({ ...names(work), status: code, result, items, seconds }, "Request");
        work.span?.end(
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
    function names({ id, caller, span }: Work): Record<string, string | undefined> {
        return { route, requestId: id, tenant: caller?.tenant.id, traceId: span?.traceId };
    }

    return (request, response) => {
        metrics.began();
        const { rawHeaders } = request;
        const work: Work = {
            response,
            rawHeaders,
            id: requestId(rawHeaders, HEADERS.requestId),
            span: tracing.begin(spanName, rawHeaders),
            caller: undefined,
            begun: performance.now(),
        };
        let caller: Caller;
        try {
            caller = gate.enter(rawHeaders);
        } catch (error) {
            // The body is thrown away unread.
            request.resume();
            fail(work, error);
            return;
        }
        work.caller = caller;
        const whole = request.whole();
        if (whole) {
            answer(work, caller, whole);
            return;
        }
        readBody(request, {
            done: (body) => {
                work.begun = performance.now();
                answer(work, caller, body);
            },
            fail: (error) => fail(work, error),
            gone: () => ended(work, 499, "error"),
        });
    };
}

function shorten(dimensions: number): (resolved: Resolved) => Resolved {
    return ({ embedding, status }) => ({ embedding: shortened(embedding, dimensions), status });
}
