import { HEADERS, type CacheResult } from "@property-search/contract";

import { detach } from "../../detach.ts";
import type { Resolved } from "../../cache/item.ts";
import type { Resolver } from "../../cache/resolver.ts";
import type { HotKeys } from "../../hotKeys/hotKeys.ts";
import type { KeyOf } from "../../key/key.ts";
import { account, RESULTS } from "../../cache/responseTotals.ts";
import type { Ledger } from "../../ledger/ledger.ts";
import type { Log } from "../../log.ts";
import type { Route, ServiceMetrics } from "../../metrics/service.ts";
import type { Caller, Gate } from "../../tenants/authenticator.ts";
import type { LookupScope } from "../../requestContext.ts";
import type { Span, Tracing } from "../../tracing/tracing.ts";
import {
    cacheHeader,
    numbersToWrite,
    shortenResolved,
    writeVectors,
    type Render,
} from "./responseBody.ts";
import { answerBytes, type AnswerRoom } from "./responseMemory.ts";
import { overloaded, readBody, type LargeBody } from "../protocol/requestBody.ts";
import type { ByteBudget, ByteHold } from "../../memory/byteBudget.ts";
import { asHttpError, HttpError } from "../protocol/error.ts";
import type { Handler, HttpResponse } from "../protocol/exchange.ts";
import { header, requestId } from "../protocol/headers.ts";
import { keyedReader, type KeyedRequest } from "./parseAndKey.ts";
import type { LargeBodyReader } from "./largeBodies.ts";
import type { Replies } from "../protocol/responder.ts";
import { itemName, type EmbeddingRequest } from "../protocol/embeddingRequest.ts";
import type { TokenLimits } from "./tokenLimits.ts";

export interface EmbeddingsParts {
    readonly gate: Gate;
    readonly keysOf: (tenant: string) => KeyOf;
    readonly resolver: Resolver;
    readonly hotKeys: Pick<HotKeys, "seen">;
    readonly tooLong: TokenLimits;
    /** Budget of the bodies of all routes, until their responses. */
    readonly bodyBudget: ByteBudget;
    /** Memory of the responses of all routes. */
    readonly answerRoom: AnswerRoom;
    /** Native dimensions of the model, if known. */
    readonly dimensions: () => number | undefined;
    readonly metrics: ServiceMetrics;
    readonly ledger: Pick<Ledger, "answered">;
    readonly tracing: Tracing;
    readonly replies: Replies;
    readonly log: Log;
}

/** Deadline of the upstream, from the last byte of the request. */
const TIMEOUT_MILLISECONDS = 25_000;
/** About 2 ms. */
const MAX_NUMBERS_IN_TURN = 40_000;
/** Smaller responses are bounded by the number of connections. */
const SMALL_ANSWER_BYTES = 64 * 1024;
/** Used until the model's dimensions are known. */
const LIKELY_DIMENSIONS = 1_536;

/** A route for embeddings: how its body is parsed and its response is formatted. */
export interface EmbeddingsRoute {
    readonly route: Route;
    readonly parse: (body: Buffer) => EmbeddingRequest;
    readonly parseLarge: LargeBodyReader;
    readonly render: Render;
}

/** A request in progress. */
interface Work {
    readonly response: HttpResponse;
    readonly rawHeaders: readonly string[];
    readonly id: string;
    readonly span: Span | undefined;
    caller: Caller | undefined;
    /** Memory of the body, unless it arrived with the head and was answered in the same turn. */
    hold: ByteHold | undefined;
    /** Memory of the vectors, if there are many, until the response is sent. */
    answer: ByteHold | undefined;
    /** When the last byte arrived. */
    begun: number;
}

/**
 * Handles a POST. A request whose items are all in the local cache, in the form of its response, is answered in
 * the same turn, without a promise or closure of its own.
 */
export function embeddingsHandler(
    parts: EmbeddingsParts,
    { route, parse, parseLarge, render }: EmbeddingsRoute,
): Handler {
    const { gate, keysOf, resolver, hotKeys, tooLong, replies, log } = parts;
    const { metrics, ledger, tracing, bodyBudget, answerRoom, dimensions } = parts;
    const read = keyedReader(parse);
    const spanName = `POST ${route}`;

    function answer(work: Work, caller: Caller, body: Buffer): void {
        let keyed: KeyedRequest;
        try {
            keyed = read(body, keysOf(caller.tenant.pool));
        } catch (error) {
            failItems(work, error, undefined);
            return;
        }
        lookUp(work, caller, keyed, body.length);
    }

    async function answerLarge(work: Work, caller: Caller, body: LargeBody): Promise<void> {
        let keyed: KeyedRequest;
        try {
            keyed = await parseLarge(body, keysOf(caller.tenant.pool));
        } catch (error) {
            failItems(work, error, undefined);
            return;
        }
        lookUp(work, caller, keyed, 0);
    }

    /** @param bytes size of the body */
    function lookUp(work: Work, caller: Caller, keyed: KeyedRequest, bytes: number): void {
        const { tenant } = caller;
        try {
            const { request: wanted, items } = keyed;
            hotKeys.seen(items, tenant.pool);
            const { dimensions } = wanted;
            const asked = { pool: tenant.pool, tenant: tenant.id, dimensions };
            const local = resolver.local(items, asked);
            if (local && numbersToWrite(local, wanted) <= MAX_NUMBERS_IN_TURN) {
                sendNow(work, caller, wanted, local);
                return;
            }
            work.hold ??= holdOf(bytes);
            detach(resolve(work, caller, keyed, asked));
        } catch (error) {
            failItems(work, error, keyed);
        }
    }

    /** @throws HttpError if other pending requests use all of the memory */
    function holdOf(bytes: number): ByteHold {
        const hold = bodyBudget.open(() => undefined);
        hold.keep();
        if (hold.grow(bytes)) return hold;
        throw overloaded();
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
            const length = asked.dimensions ?? dimensions() ?? LIKELY_DIMENSIONS;
            const bytes = answerBytes(items.length, length, wanted.encoding);
            if (bytes > SMALL_ANSWER_BYTES)
                work.answer = await answerRoom.enter(asked, bytes, deadline);
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
        resolved: readonly Resolved[],
    ): void {
        if (numbersToWrite(resolved, wanted) <= MAX_NUMBERS_IN_TURN)
            sendNow(work, caller, wanted, resolved);
        else detach(sendInTurns(work, caller, wanted, resolved));
    }

    async function sendInTurns(
        work: Work,
        caller: Caller,
        wanted: EmbeddingRequest,
        resolved: readonly Resolved[],
    ): Promise<void> {
        try {
            sendNow(work, caller, wanted, await writeVectors(resolved, wanted));
        } catch (error) {
            fail(work, error, wanted);
        }
    }

    function sendNow(
        work: Work,
        caller: Caller,
        wanted: EmbeddingRequest,
        whole: readonly Resolved[],
    ): void {
        const { shortenTo } = wanted;
        const resolved =
            shortenTo === undefined ? whole : whole.map((one) => shortenResolved(one, shortenTo));
        const sum = account(resolved);
        const headers = [HEADERS.requestId, work.id, ...caller.headers];
        // Texts that differ only after the truncation have the same vector, so clients must be told.
        if (sum.truncated > 0) headers.push(HEADERS.truncated, String(sum.truncated));
        replies.vectors(
            work.response,
            cacheHeader(sum, resolved.length),
            render(wanted, resolved, sum),
            headers,
        );
        metrics.answered(sum);
        ledger.answered(caller.tenant.id, sum);
        ended(work, 200, RESULTS[sum.slowest], resolved.length);
    }

    function failItems(work: Work, error: unknown, keyed: KeyedRequest | undefined): void {
        if (keyed) metrics.failed(keyed.items.length);
        // The body was parsed without decoding, which rarely yields valid JSON.
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
            log.warn(
                { ...names(work), status: httpError.status, error: message },
                "Request failed",
            );
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
        work.caller?.done();
        work.hold?.release();
        work.answer?.release();
        const seconds = (performance.now() - work.begun) / 1000;
        metrics.ended(route, result, code, seconds);
        // The level may change at runtime.
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

    /** Fields that correlate the request with the client's logs and with traces. */
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
            hold: undefined,
            answer: undefined,
            begun: performance.now(),
        };
        let caller: Caller;
        try {
            caller = gate.enter(rawHeaders);
        } catch (error) {
            // The body is discarded.
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
        readBody(request, bodyBudget, {
            done: (body, hold) => {
                work.begun = performance.now();
                work.hold = hold;
                if (Buffer.isBuffer(body)) answer(work, caller, body);
                else detach(answerLarge(work, caller, body));
            },
            fail: (error) => fail(work, error),
            gone: () => ended(work, 499, "error"),
        });
    };
}
