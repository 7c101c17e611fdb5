import { HEADERS } from "@property-search/contract";

import type { Experiments } from "../../experiments/experiments.ts";
import type { Log } from "../../log.ts";
import type { ByteBudget } from "../../memory/byteBudget.ts";
import type { FeedbackMetrics } from "../../metrics/feedback.ts";
import type { Admission, Authenticator } from "../../tenants/authenticator.ts";
import { getJoinedHeader, getRequestId } from "../headers.ts";
import { toHttpError } from "../protocol/error.ts";
import type { Handler } from "../protocol/exchange.ts";
import { MAX_FEEDBACK_BYTES, parseFeedback } from "../protocol/feedbackRequest.ts";
import { bodyTooLargeError, readBody, type BodyHandlers } from "../protocol/requestBody.ts";
import type { Responder } from "../protocol/responder.ts";

export interface FeedbackDependencies {
    readonly authenticator: Authenticator;
    readonly feedback: Pick<FeedbackMetrics, "onFeedback">;
    readonly experiments: Pick<Experiments, "recordVerdict">;
    /** Budget of the bodies of all routes. */
    readonly bodyBudget: ByteBudget;
    readonly responder: Responder;
    readonly log: Log;
}

/**
 * Counts verdicts of clients on their results. It counts as a request of its tenant, whose limits apply. Nothing else of it
 * is stored.
 */
export function createFeedbackHandler(dependencies: FeedbackDependencies): Handler {
    const { authenticator, feedback, experiments, bodyBudget, responder, log } = dependencies;

    return (request, response) => {
        const { rawHeaders } = request;
        const id = [HEADERS.requestId, getRequestId(rawHeaders, HEADERS.requestId)];
        let admission: Admission;
        try {
            admission = authenticator.admit(rawHeaders);
        } catch (error) {
            // The body is discarded.
            request.resume();
            responder.sendError(response, toHttpError(error), id);
            return;
        }
        const handlers: BodyHandlers = {
            onBody: (body, reservation) => {
                try {
                    if (!Buffer.isBuffer(body)) throw bodyTooLargeError(MAX_FEEDBACK_BYTES);
                    const { tenant } = admission;
                    const cache = getJoinedHeader(rawHeaders, HEADERS.cache);
                    const { verdict, source, requestId, user } = parseFeedback(body, cache);
                    feedback.onFeedback(tenant.id, verdict, source);
                    experiments.recordVerdict(tenant.id, user, verdict);
                    log.debug({ tenant: tenant.id, requestId, verdict, source }, "Feedback");
                    responder.sendEmpty(response, 204, [...id, ...admission.headers]);
                } catch (error) {
                    responder.sendError(response, toHttpError(error), id);
                } finally {
                    reservation.release();
                    admission.release();
                }
            },
            onError: (error) => {
                admission.release();
                responder.sendError(response, error, id);
            },
            onAborted: () => admission.release(),
        };
        const options = { tenant: admission.tenant.id, maxBytes: MAX_FEEDBACK_BYTES };
        readBody(request, bodyBudget, handlers, options);
    };
}
