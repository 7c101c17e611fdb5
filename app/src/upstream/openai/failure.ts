import type { Input } from "../../input.ts";
import { CallTooLargeError, UpstreamError } from "../upstream.ts";
import { parseErrorBody, type ErrorBody } from "./errorBody.ts";
import { readRetryAfter, type Failure } from "./retry.ts";

/** An error response of the provider. */
export interface ErrorResponse {
    readonly status: number;
    readonly headers: Readonly<Record<string, string | string[] | undefined>>;
    readonly text: string;
}

export interface FailedCall extends Failure {
    readonly error: UpstreamError;
    /** Whether the encoding of vectors may be the cause. */
    readonly mayBeEncoding: boolean;
    /** Whether the provider's own words name the encoding. */
    readonly namesEncoding: boolean;
}

/** An exhausted quota is checked again at this interval. */
const QUOTA_COOLDOWN_MILLISECONDS = 10_000;

const ENCODING = /encoding.?format|base64/i;
const QUOTA = /insufficient_quota|quota_exceeded|billing|credit_balance|payment/i;
const ACCESS_CODES =
    /api_?key|authenti|unauthori|permission|forbidden|budget|billing|model_not_found|deploymentnotfound/i;
const ACCESS_WORDS =
    /api.?key|authenti|unauthori[sz]ed|credential|permission|budget|billing|model\b.*\b(not found|not exist)/i;
const CALL_LIMIT =
    /\bbatch(es)?\b|\b(number of|too many|most \d+) (inputs|texts|documents|items|requests|strings|embeddings)|array too long|list should have at most/i;
const LIMIT = /larger|exceed|limit|maxim|\bmax\b|at most|up to|too (many|large|big|long)|split|>/i;
const ALLOWED =
    /(?:larger than|at most|up to|maximum(?: allowed)?(?: batch)?(?: size| length)?|limit|max(?:imum)? (?:number of \w+|batch size))(?: is| of|:)? ?(\d{1,6})\b/i;
const CALL_TOKENS = /tokens?\b.*\b(per|overall|total|batch|request)|max_tokens_per_request/i;
/** Statuses that concern the inputs instead of the sender. */
const INPUT_STATUSES = [400, 413, 422];

/** A missing or wrong key, no money, and an unknown URL or model: never because of a text. */
const SENDER_STATUSES = [401, 402, 404, 407];

/** Timeouts, conflicts, and failures of TEI's model (424). */
const TRANSIENT = [408, 409, 424, 425];

/** Classifies an error response and decides what to do about it. */
export function classifyFailure(response: ErrorResponse, inputs: readonly Input[]): FailedCall {
    const { status } = response;
    const body = parseErrorBody(response.text, inputs);
    const namesEncoding = ENCODING.test(body.ownWords);
    const mayBeEncoding = namesEncoding || status === 501 || INPUT_STATUSES.includes(status);
    const encodingFlags = { namesEncoding, mayBeEncoding };
    const retryAfterMilliseconds =
        readRetryAfter(response.headers, Date.now()) ?? body.retryAfterMilliseconds;

    if (hasCode(QUOTA, body) && (status === 429 || status === 402)) {
        const error = rejectedError(status, body, "its quota is exhausted");
        return {
            error,
            isRetryable: false,
            ...NOT_THE_ENCODING,
            cooldownMilliseconds: QUOTA_COOLDOWN_MILLISECONDS,
        };
    }
    if (status === 429) {
        const seconds = Math.ceil((retryAfterMilliseconds ?? 1000) / 1000);
        const message = "The upstream rate limit was reached";
        const error = new UpstreamError(429, "rate_limit_exceeded", message, seconds);
        const cooldownMilliseconds = retryAfterMilliseconds;
        return {
            error,
            isRetryable: true,
            retryAfterMilliseconds,
            cooldownMilliseconds,
            ...NOT_THE_ENCODING,
        };
    }
    if (status >= 500 || TRANSIENT.includes(status)) {
        const error = new UpstreamError(
            503,
            "upstream_error",
            `The upstream responded with ${status}`,
        );
        const cooldownMilliseconds = status === 503 ? retryAfterMilliseconds : undefined;
        return {
            error,
            isRetryable: true,
            retryAfterMilliseconds,
            cooldownMilliseconds,
            ...encodingFlags,
        };
    }
    if (!INPUT_STATUSES.includes(status)) {
        return {
            error: rejectedError(status, body),
            isRetryable: false,
            // A redirect is the configuration's fault.
            mayBeInputs: status >= 400 && !SENDER_STATUSES.includes(status),
            ...NOT_THE_ENCODING,
            namesEncoding,
        };
    }
    if (isAccessError(body)) {
        const error = rejectedError(status, body);
        return { error, isRetryable: false, mayBeInputs: true, ...NOT_THE_ENCODING };
    }
    const tooLarge = findSizeError(status, body, inputs.length);
    if (tooLarge) return { error: tooLarge, isRetryable: false, ...NOT_THE_ENCODING };
    const message = body.message ?? "The upstream rejected the input";
    const code = body.codes.find((one) => /^[a-z][\w.-]{1,63}$/.test(one)) ?? "invalid_input";
    return { error: new UpstreamError(400, code, message), isRetryable: false, ...encodingFlags };
}

/** The encoding of vectors is not the cause. */
export const NOT_THE_ENCODING = { mayBeEncoding: false, namesEncoding: false };

/** Our API key, model or budget: nothing that the client can change. */
function rejectedError(status: number, { codes }: ErrorBody, reason?: string): UpstreamError {
    const code = codes.find((one) => ACCESS_CODES.test(one) || QUOTA.test(one)) ?? codes[0];
    const details = [status, ...(code === undefined ? [] : [code])].join(" ");
    const why = reason === undefined ? "" : `: ${reason}`;
    const message = `The upstream rejected this service's request (${details})${why}`;
    return new UpstreamError(503, "upstream_rejected", message);
}

function hasCode(expression: RegExp, { codes }: ErrorBody): boolean {
    return codes.some((code) => expression.test(code));
}

function isAccessError(body: ErrorBody): boolean {
    return hasCode(ACCESS_CODES, body) || ACCESS_WORDS.test(body.ownWords);
}

function findSizeError(
    status: number,
    { message, ownWords, codes }: ErrorBody,
    inputs: number,
): CallTooLargeError | undefined {
    if (inputs < 2) return undefined;
    const words = message ?? "The upstream rejected the size of the request";
    if (CALL_TOKENS.test([ownWords, ...codes].join(" "))) {
        return new CallTooLargeError(words, "bytes");
    }
    if (CALL_LIMIT.test(ownWords) && LIMIT.test(ownWords)) {
        const allowed = Number(ALLOWED.exec(ownWords)?.[1]);
        const isUsable = allowed >= 1 && allowed < inputs;
        return new CallTooLargeError(words, "inputs", isUsable ? allowed : undefined);
    }
    // A gateway's 413; TEI sends 413 for one long text, with a message.
    const hasNoMessage = status === 413 && message === undefined;
    return hasNoMessage ? new CallTooLargeError(words, "bytes") : undefined;
}
