import { HEADERS, type CacheResult } from "@property-search/contract";

import type { AnswerQuality, ResolvedItem } from "../../cache/item.ts";
import { computeTotals, RESULT_LABELS } from "../../cache/responseTotals.ts";
import { detach } from "../../detach.ts";
import type { Ledger } from "../../ledger/ledger.ts";
import type { Log } from "../../log.ts";
import type { ByteReservation } from "../../memory/byteBudget.ts";
import type { Route, ServiceMetrics } from "../../metrics/service.ts";
import type { Admission } from "../../tenants/authenticator.ts";
import type { Span } from "../../tracing/tracing.ts";
import { inputName, type EmbeddingRequest } from "../protocol/embeddingRequest.ts";
import { HttpError, toHttpError } from "../protocol/error.ts";
import type { HttpResponse } from "../protocol/exchange.ts";
import { getHeader } from "../headers.ts";
import type { Responder } from "../protocol/responder.ts";
import type { RequestWithKeys } from "./parseAndKey.ts";
import {
    countUnformattedNumbers,
    formatCacheHeader,
    formatVectors,
    shortenItem,
    type FormatResponse,
} from "./responseBody.ts";

/** A request in progress. */
export interface PendingRequest {
    readonly response: HttpResponse;
    readonly rawHeaders: readonly string[];
    readonly id: string;
    readonly span: Span | undefined;
    admission: Admission | undefined;
    /** Memory of the body, unless it arrived with the head and was answered in the same turn. */
    bodyReservation: ByteReservation | undefined;
    /** Memory of the vectors, if there are many, until the response is sent. */
    responseReservation: ByteReservation | undefined;
    /** When the last byte arrived, in milliseconds of `performance.now()`. */
    receivedAt: number;
}

export interface CompletionDependencies {
    readonly metrics: ServiceMetrics;
    readonly ledger: Pick<Ledger, "recordResponse">;
    readonly responder: Responder;
    readonly log: Log;
}

/** Sends the responses of a route, and records their results. */
export interface Completion {
    /**
     * Sends a response in this turn, if little of it must still be formatted.
     *
     * @returns whether it was sent
     */
    readonly trySend: (
        pending: PendingRequest,
        admission: Admission,
        request: EmbeddingRequest,
        items: readonly ResolvedItem[],
    ) => boolean;
    readonly send: (
        pending: PendingRequest,
        admission: Admission,
        request: EmbeddingRequest,
        items: readonly ResolvedItem[],
    ) => void;
    /** Fails a request whose items are known, unless its body could not be parsed. */
    readonly failItems: (
        pending: PendingRequest,
        error: unknown,
        parsed: RequestWithKeys | undefined,
    ) => void;
    readonly fail: (pending: PendingRequest, error: unknown) => void;
    /** Records the end of a request whose client has disconnected. */
    readonly abort: (pending: PendingRequest) => void;
}

/** About 2 ms. */
const MAX_NUMBERS_IN_TURN = 40_000;
const QUALITY_DIGITS = 4;

export function createCompletion(
    { metrics, ledger, responder, log }: CompletionDependencies,
    route: Route,
    formatResponse: FormatResponse,
): Completion {
    function trySend(
        pending: PendingRequest,
        admission: Admission,
        request: EmbeddingRequest,
        items: readonly ResolvedItem[],
    ): boolean {
        if (countUnformattedNumbers(items, request) > MAX_NUMBERS_IN_TURN) return false;
        sendNow(pending, admission, request, items);
        return true;
    }

    function send(
        pending: PendingRequest,
        admission: Admission,
        request: EmbeddingRequest,
        items: readonly ResolvedItem[],
    ): void {
        if (!trySend(pending, admission, request, items))
            detach(sendInTurns(pending, admission, request, items));
    }

    async function sendInTurns(
        pending: PendingRequest,
        admission: Admission,
        request: EmbeddingRequest,
        items: readonly ResolvedItem[],
    ): Promise<void> {
        try {
            sendNow(pending, admission, request, await formatVectors(items, request));
        } catch (error) {
            fail(pending, error, request);
        }
    }

    function sendNow(
        pending: PendingRequest,
        admission: Admission,
        request: EmbeddingRequest,
        resolved: readonly ResolvedItem[],
    ): void {
        const { shortenTo } = request;
        const items =
            shortenTo === undefined
                ? resolved
                : resolved.map((item) => shortenItem(item, shortenTo));
        const totals = computeTotals(items);
        const headers = [HEADERS.requestId, pending.id, ...admission.headers];
        // Texts that differ only after the truncation have the same vector, so clients must learn of it.
        if (totals.truncated > 0) headers.push(HEADERS.truncated, String(totals.truncated));
        if (totals.quality) headers.push(...formatQuality(totals.quality));
        responder.sendVectors(
            pending.response,
            formatCacheHeader(totals, items.length),
            formatResponse(request, items, totals),
            headers,
        );
        metrics.onResponse(totals);
        if (totals.items.MISS > 0) for (const { countReason } of items) countReason?.();
        ledger.recordResponse(admission.tenant.id, totals);
        finish(pending, 200, RESULT_LABELS[totals.slowest], items.length);
    }

    function failItems(
        pending: PendingRequest,
        error: unknown,
        parsed: RequestWithKeys | undefined,
    ): void {
        if (parsed) metrics.onItemsFailed(parsed.items.length);
        // The body was parsed without decoding, which rarely yields valid JSON.
        const encoding = getHeader(pending.rawHeaders, "content-encoding");
        if (!parsed && encoding !== undefined && encoding !== "identity") {
            const message = `content-encoding is ${encoding.slice(0, 64)}; allowed: identity`;
            fail(pending, new HttpError(415, message));
        } else fail(pending, error, parsed?.request);
    }

    function fail(pending: PendingRequest, error: unknown, request?: EmbeddingRequest): void {
        const httpError = toHttpError(error, (item) =>
            request && item !== undefined ? inputName(request, item) : (request?.field ?? "input"),
        );
        const { status } = httpError;
        if (status >= 500) {
            const { message } = error instanceof Error ? error : httpError;
            log.warn({ ...logFields(pending), status, error: message }, "Request failed");
        }
        responder.sendError(pending.response, httpError, [HEADERS.requestId, pending.id]);
        finish(pending, status, "error", 0, error);
    }

    function finish(
        pending: PendingRequest,
        code: number,
        result: CacheResult,
        items = 0,
        error?: unknown,
    ): void {
        pending.admission?.release();
        pending.bodyReservation?.release();
        pending.responseReservation?.release();
        const seconds = (performance.now() - pending.receivedAt) / 1000;
        metrics.onRequestEnd(route, result, code, seconds);
        // The level may change at runtime.
        if (log.level === "debug")
            log.debug({ ...logFields(pending), status: code, result, items, seconds }, "Request");
        pending.span?.end(
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
    function logFields(pending: PendingRequest): Record<string, string | undefined> {
        const { id, admission, span } = pending;
        return { route, requestId: id, tenant: admission?.tenant.id, traceId: span?.traceId };
    }

    return { trySend, send, failItems, fail, abort: (pending) => finish(pending, 499, "error") };
}

function formatQuality({ similarity, errorBound }: AnswerQuality): readonly string[] {
    return [
        HEADERS.similarity,
        similarity.toFixed(QUALITY_DIGITS),
        HEADERS.errorBound,
        errorBound.toFixed(QUALITY_DIGITS),
    ];
}
