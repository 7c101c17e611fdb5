import {
    CACHE_STATUSES,
    FEEDBACK_VERDICTS,
    HEADERS,
    type FeedbackSource,
    type FeedbackVerdict,
} from "@property-search/contract";

import { isRequestId } from "../headers.ts";
import { invalidFieldError } from "./error.ts";
import { parseObject } from "./jsonBody.ts";
import { parseUser } from "./user.ts";

/** A client's feedback on a result that it computed from vectors of this service. */
export interface Feedback {
    readonly verdict: FeedbackVerdict;
    /** How the vectors were made. */
    readonly source: FeedbackSource;
    /** ID of the request for the vectors, for correlation in the logs. */
    readonly requestId: string | undefined;
    /** The client's end user, as in its requests for vectors. Never logged, stored or sent. */
    readonly user: string | undefined;
}

/** Largest body: the longest user in escapes. No text is accepted, so that none is stored. */
export const MAX_FEEDBACK_BYTES = 4_096;
const FIELDS = ["verdict", "requestId", "user"];
const STATUSES: ReadonlySet<string> = new Set(CACHE_STATUSES);

/**
 * Parses `{"verdict", "requestId", "user"}` and the header that the response with the vectors had.
 *
 * @param cache value of the header `x-cache`, if the client sent it
 * @throws HttpError
 */
export function parseFeedback(body: Buffer, cache: string | undefined): Feedback {
    const { verdict, requestId, user } = parseObject(body, FIELDS, MAX_FEEDBACK_BYTES);
    return {
        verdict: parseVerdict(verdict),
        source: parseSource(cache),
        requestId: parseRequestId(requestId),
        user: parseUser(user),
    };
}

function parseVerdict(value: unknown): FeedbackVerdict {
    const verdict = FEEDBACK_VERDICTS.find((one) => one === value);
    if (verdict !== undefined) return verdict;
    throw invalidFieldError(
        "verdict",
        `verdict is ${shorten(value)}; allowed: ${FEEDBACK_VERDICTS.join(", ")}`,
    );
}

function parseSource(cache: string | undefined): FeedbackSource {
    if (cache === undefined || cache === "") return "unknown";
    const statuses = cache.split(",").map((status) => status.trim());
    const wrong = statuses.find((status) => !STATUSES.has(status));
    if (wrong !== undefined) {
        throw invalidFieldError(
            HEADERS.cache,
            `${HEADERS.cache} is ${shorten(wrong)}; allowed: ${CACHE_STATUSES.join(", ")}, or a list of them`,
        );
    }
    // A result that rests on one semantic vector is not one of exact vectors.
    return statuses.includes("SEMANTIC") ? "semantic" : "exact";
}

function parseRequestId(value: unknown): string | undefined {
    if (value === undefined || value === null) return undefined;
    if (typeof value === "string" && isRequestId(value)) return value;
    throw invalidFieldError(
        "requestId",
        `requestId is ${shorten(value)}; allowed: 1 to 128 letters, digits and _ . : -`,
    );
}

function shorten(value: unknown): string {
    return value === undefined ? "missing" : JSON.stringify(value).slice(0, 64);
}
