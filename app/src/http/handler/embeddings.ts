import { HEADERS } from "@property-search/contract";

import type { Resolver } from "../../cache/resolver.ts";
import { detach } from "../../detach.ts";
import type { HotKeys } from "../../hotKeys/hotKeys.ts";
import type { KeyOf } from "../../key/key.ts";
import type { ByteBudget, ByteReservation } from "../../memory/byteBudget.ts";
import type { Route } from "../../metrics/service.ts";
import type { LookupContext } from "../../requestContext.ts";
import type { Admission, Authenticator } from "../../tenants/authenticator.ts";
import type { Tracing } from "../../tracing/tracing.ts";
import type { EmbeddingRequest } from "../protocol/embeddingRequest.ts";
import type { Handler } from "../protocol/exchange.ts";
import { getRequestId } from "../headers.ts";
import { overloadedError, readBody, type LargeBody } from "../protocol/requestBody.ts";
import {
    createCompletion,
    type CompletionDependencies,
    type PendingRequest,
} from "./completion.ts";
import type { ParseLargeBody } from "./largeBodies.ts";
import { createParseAndKey, type RequestWithKeys } from "./parseAndKey.ts";
import type { FormatResponse } from "./responseBody.ts";
import { estimateResponseBytes, type ResponseMemory } from "./responseMemory.ts";
import type { CheckTokenLimits } from "./tokenLimits.ts";

export interface EmbeddingsDependencies extends CompletionDependencies {
    readonly authenticator: Authenticator;
    readonly keysOf: (tenant: string) => KeyOf;
    readonly resolver: Resolver;
    readonly hotKeys: Pick<HotKeys, "record">;
    readonly checkTokenLimits: CheckTokenLimits;
    /** Budget of the bodies of all routes, until their responses. */
    readonly bodyBudget: ByteBudget;
    /** Memory of the responses of all routes. */
    readonly responseMemory: ResponseMemory;
    /** Native dimensions of the model, if known. */
    readonly dimensions: () => number | undefined;
    readonly tracing: Tracing;
}

/** Deadline of the upstream, from the last byte of the request. */
const TIMEOUT_MILLISECONDS = 25_000;
/** Smaller responses are bounded by the number of connections. */
const SMALL_RESPONSE_BYTES = 64 * 1024;
/** Used until the model's dimensions are known. */
const LIKELY_DIMENSIONS = 1_536;

/** A route for embeddings: how its body is parsed and its response is formatted. */
export interface EmbeddingsRoute {
    readonly route: Route;
    readonly parse: (body: Buffer) => EmbeddingRequest;
    readonly parseLarge: ParseLargeBody;
    readonly formatResponse: FormatResponse;
}

/**
 * Handles a POST. A request whose items are all in the local cache, in the form of its response, is answered in
 * the same turn, without a promise or closure of its own.
 */
export function createEmbeddingsHandler(
    dependencies: EmbeddingsDependencies,
    { route, parse, parseLarge, formatResponse }: EmbeddingsRoute,
): Handler {
    const { authenticator, keysOf, resolver, hotKeys, checkTokenLimits, metrics } = dependencies;
    const { tracing, bodyBudget, responseMemory, dimensions } = dependencies;
    const completion = createCompletion(dependencies, route, formatResponse);
    const { trySend, send, failItems, fail, abort } = completion;
    const parseAndKey = createParseAndKey(parse);
    const spanName = `POST ${route}`;

    function handleBody(pending: PendingRequest, admission: Admission, body: Buffer): void {
        let parsed: RequestWithKeys;
        try {
            parsed = parseAndKey(body, keysOf(admission.tenant.pool));
        } catch (error) {
            failItems(pending, error, undefined);
            return;
        }
        lookUp(pending, admission, parsed, body.length);
    }

    async function handleLargeBody(
        pending: PendingRequest,
        admission: Admission,
        body: LargeBody,
    ): Promise<void> {
        let parsed: RequestWithKeys;
        try {
            parsed = await parseLarge(body, keysOf(admission.tenant.pool));
        } catch (error) {
            failItems(pending, error, undefined);
            return;
        }
        lookUp(pending, admission, parsed, 0);
    }

    /** @param bytes size of the body */
    function lookUp(
        pending: PendingRequest,
        admission: Admission,
        parsed: RequestWithKeys,
        bytes: number,
    ): void {
        const { tenant } = admission;
        try {
            const { request, items } = parsed;
            hotKeys.record(items, tenant.pool);
            const { dimensions } = request;
            const context = { pool: tenant.pool, tenant: tenant.id, dimensions };
            const local = resolver.local(items, context);
            if (local && trySend(pending, admission, request, local)) return;
            pending.bodyReservation ??= reserveBody(bytes);
            detach(resolve(pending, admission, parsed, context));
        } catch (error) {
            failItems(pending, error, parsed);
        }
    }

    /** @throws HttpError if other pending requests use all of the memory */
    function reserveBody(bytes: number): ByteReservation {
        const reservation = bodyBudget.reserve(() => undefined);
        reservation.pin();
        if (reservation.grow(bytes)) return reservation;
        throw overloadedError();
    }

    async function resolve(
        pending: PendingRequest,
        admission: Admission,
        parsed: RequestWithKeys,
        lookup: LookupContext,
    ): Promise<void> {
        const { request, items } = parsed;
        const { receivedAt, span } = pending;
        try {
            const checking = checkTokenLimits(request);
            if (checking) await checking;
            const deadline = receivedAt + TIMEOUT_MILLISECONDS;
            const length = lookup.dimensions ?? dimensions() ?? LIKELY_DIMENSIONS;
            const bytes = estimateResponseBytes(items.length, length, request.encoding);
            if (bytes > SMALL_RESPONSE_BYTES)
                pending.responseReservation = await responseMemory.reserve(lookup, bytes, deadline);
            const context = { ...lookup, purpose: "request", deadline, span } as const;
            send(pending, admission, request, await resolver.resolve(items, context));
        } catch (error) {
            failItems(pending, error, parsed);
        }
    }

    return (request, response) => {
        metrics.onRequestStart();
        const { rawHeaders } = request;
        const pending: PendingRequest = {
            response,
            rawHeaders,
            id: getRequestId(rawHeaders, HEADERS.requestId),
            span: tracing.startSpan(spanName, rawHeaders),
            admission: undefined,
            bodyReservation: undefined,
            responseReservation: undefined,
            receivedAt: performance.now(),
        };
        let admission: Admission;
        try {
            admission = authenticator.admit(rawHeaders);
        } catch (error) {
            // The body is discarded.
            request.resume();
            fail(pending, error);
            return;
        }
        pending.admission = admission;
        const buffered = request.bufferedBody();
        if (buffered) {
            handleBody(pending, admission, buffered);
            return;
        }
        readBody(request, bodyBudget, {
            onBody: (body, reservation) => {
                pending.receivedAt = performance.now();
                pending.bodyReservation = reservation;
                if (Buffer.isBuffer(body)) handleBody(pending, admission, body);
                else detach(handleLargeBody(pending, admission, body));
            },
            onError: (error) => fail(pending, error),
            onAborted: () => abort(pending),
        });
    };
}
