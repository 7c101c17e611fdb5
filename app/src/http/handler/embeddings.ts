import { HEADERS } from "@property-search/contract";

import { detach } from "../../detach.ts";
import type { KeyOf } from "../../key/key.ts";
import type { Route } from "../../metrics/service.ts";
import type { Admission, Authenticator } from "../../tenants/authenticator.ts";
import type { Tracing } from "../../tracing/tracing.ts";
import type { EmbeddingRequest } from "../protocol/embeddingRequest.ts";
import type { Handler } from "../protocol/exchange.ts";
import { getRequestId } from "../headers.ts";
import { readBody, type BodyHandlers } from "../protocol/requestBody.ts";
import {
    createCompletion,
    type CompletionDependencies,
    type PendingRequest,
} from "./completion.ts";
import type { ParseLargeBody } from "./largeBodies.ts";
import { createLookup, reserveBody, type LookupDependencies } from "./lookup.ts";
import { createParseAndKey, type DeriveLater, type RequestWithKeys } from "./parseAndKey.ts";
import type { FormatResponse } from "./responseBody.ts";

export interface EmbeddingsDependencies extends CompletionDependencies, LookupDependencies {
    readonly authenticator: Authenticator;
    readonly keysOf: (tenant: string) => KeyOf;
    readonly tracing: Tracing;
}

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
    const { authenticator, keysOf, metrics, tracing, bodyBudget } = dependencies;
    const completion = createCompletion(dependencies, route, formatResponse);
    const { failItems, fail, abort } = completion;
    const lookUp = createLookup(dependencies, completion);
    const parseAndKey = createParseAndKey(parse);
    const spanName = `POST ${route}`;

    function handleBody(pending: PendingRequest, admission: Admission, body: Buffer): void {
        let parsed: RequestWithKeys | DeriveLater;
        try {
            parsed = parseAndKey(body, keysOf(admission.tenant.pool));
        } catch (error) {
            failItems(pending, error, undefined);
            return;
        }
        if (typeof parsed === "function")
            detach(lookUpLater(pending, admission, parsed, body.length));
        else lookUp(pending, admission, parsed, body.length);
    }

    async function lookUpLater(
        pending: PendingRequest,
        admission: Admission,
        derive: DeriveLater,
        bytes: number,
    ): Promise<void> {
        let parsed: RequestWithKeys;
        try {
            pending.bodyReservation ??= reserveBody(bodyBudget, bytes, admission.tenant.id);
            parsed = await derive();
        } catch (error) {
            failItems(pending, error, undefined);
            return;
        }
        lookUp(pending, admission, parsed, bytes);
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
        const handlers: BodyHandlers = {
            onBody: (body, reservation) => {
                pending.receivedAt = performance.now();
                pending.bodyReservation = reservation;
                if (Buffer.isBuffer(body)) handleBody(pending, admission, body);
                else {
                    const derive: DeriveLater = () =>
                        parseLarge(body, keysOf(admission.tenant.pool));
                    detach(lookUpLater(pending, admission, derive, 0));
                }
            },
            onError: (error) => fail(pending, error),
            onAborted: () => abort(pending),
        };
        readBody(request, bodyBudget, handlers, { tenant: admission.tenant.id });
    };
}
