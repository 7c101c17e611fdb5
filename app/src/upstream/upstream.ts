import type { Input } from "../input.ts";
import type { RequestContext } from "../requestContext.ts";
import type { Embedding } from "../vector/embedding.ts";

/** @returns the number of tokens, never more than the model counts; counting may stop beyond `max` */
export type TokenCounter = (text: string, max: number) => Promise<number>;

/** Outcome of one input. */
export type InputOutcome = Embedding | UpstreamError;

/** Receives the outcomes of some inputs of a request, by their indexes. */
export type ReportOutcomes = (places: readonly number[], outcomes: readonly InputOutcome[]) => void;

/** The source of vectors that are not cached; implemented by all providers. */
export interface Upstream {
    readonly provider: string;
    /** Identifies the weights (or the endpoint) behind the model's name; part of every key. */
    readonly revision: string;
    /** Native dimensions; undefined until the provider has reported them. */
    readonly dimensions: () => number | undefined;
    /** Whether clients may send token IDs of this model's vocabulary. */
    readonly acceptsTokens: boolean;
    /** @returns why the model does not support these dimensions, or undefined if it does */
    readonly dimensionsError: (dimensions: number) => string | undefined;
    /** Whether prefixes of this model's vectors are vectors, too (Matryoshka, arXiv:2205.13147). */
    readonly supportsShortening: boolean;
    /** Undefined if the model's vocabulary is unknown. */
    readonly countTokens?: TokenCounter | undefined;
    /** Longest token of a known vocabulary. */
    readonly maxBytesPerToken?: number | undefined;
    /** Resolves when embeddings can be served. */
    readonly start: () => Promise<void>;
    /**
     * Embeds the inputs and reports outcomes as calls complete, so that results survive the failure of
     * another call. Resolves when each input has exactly one outcome: a valid embedding or an error.
     */
    readonly embed: (
        inputs: readonly Input[],
        context: RequestContext,
        report: ReportOutcomes,
    ) => Promise<void>;
    /** Human-readable state: breakers, queues and what was learned about the provider. */
    readonly state: () => Readonly<Record<string, unknown>>;
    readonly close: () => Promise<void>;
}

/** Outcomes of an attempt; `rejected_input` stands for all error codes of the upstream itself. */
export const UPSTREAM_OUTCOMES = [
    "ok",
    "rejected_input",
    "rate_limit_exceeded",
    "upstream_error",
    "upstream_timeout",
    "upstream_unreachable",
    "upstream_rejected",
    "upstream_unavailable",
    "bad_upstream_response",
    "bad_vector",
    "model_unavailable",
    "unexpected",
] as const;

export type UpstreamOutcome = (typeof UPSTREAM_OUTCOMES)[number];

/** @returns the outcome label of an error */
export function classifyOutcome(error: unknown): UpstreamOutcome {
    if (!(error instanceof UpstreamError)) return "unexpected";
    if (error.status === 400) return "rejected_input";
    return UPSTREAM_OUTCOMES.find((outcome) => outcome === error.code) ?? "unexpected";
}

/** Metrics events of an upstream. They must not throw. */
export interface UpstreamEvents {
    /** An attempt at an endpoint ended. */
    readonly onAttempt: (endpoint: string, outcome: UpstreamOutcome, seconds: number) => void;
    /** A call with inputs of this many requests succeeded. */
    readonly onCall: (inputs: number, requests: number) => void;
    /** Queued inputs, calls in flight and the concurrency limit. */
    readonly onQueueChange: (inputs: number, inFlight: number, limit: number) => void;
    /** A request was rejected because of the queue. */
    readonly onOverload: () => void;
}

export const noEvents: UpstreamEvents = {
    onAttempt: () => undefined,
    onCall: () => undefined,
    onQueueChange: () => undefined,
    onOverload: () => undefined,
};

/** Errors are cached, and an upstream may quote the whole input. */
const MAX_MESSAGE_CHARACTERS = 1_000;
const MAX_CODE_CHARACTERS = 64;

/** Copies the text, because a slice would retain all of it. */
function truncate(text: string, max: number): string {
    return text.length <= max ? text : `${Buffer.from(text.slice(0, max - 1)).toString()}…`;
}

/** Why an upstream returned no embeddings, as reported to the client. */
export class UpstreamError extends Error {
    /**
     * 400: these inputs can never be embedded. 429: retry later. 503, 504: not the client's fault. Never the
     * status of a lost connection (CONNECTION_LOST_STATUS), on which gateways retry.
     */
    readonly status: 400 | 429 | 503 | 504;
    /** OpenAI's error code, such as context_length_exceeded. */
    readonly code: string;
    readonly retryAfterSeconds: number | undefined;
    /** Index of the failed input in the request. */
    readonly item: number | undefined;
    /** Other inputs of its call, or the endpoint, may be the cause, so that it is not remembered. */
    readonly isUncertain: boolean;

    constructor(
        status: UpstreamError["status"],
        code: string,
        message: string,
        retryAfterSeconds?: number,
        item?: number,
        isUncertain = false,
    ) {
        super(truncate(message, MAX_MESSAGE_CHARACTERS));
        this.name = "UpstreamError";
        this.status = status;
        this.code = truncate(code, MAX_CODE_CHARACTERS);
        this.retryAfterSeconds = retryAfterSeconds;
        this.item = item;
        this.isUncertain = isUncertain;
    }

    /** @returns the same error for one input of a request */
    withItem(item: number): UpstreamError {
        const { status, code, message, retryAfterSeconds, isUncertain } = this;
        return new UpstreamError(status, code, message, retryAfterSeconds, item, isUncertain);
    }

    /** @returns the same error with a cause that is not certain */
    withUncertainty(): UpstreamError {
        const { status, code, message, retryAfterSeconds, item } = this;
        return new UpstreamError(status, code, message, retryAfterSeconds, item, true);
    }
}

/** The upstream limits calls to fewer or shorter inputs. */
export class CallTooLargeError extends UpstreamError {
    readonly unit: "inputs" | "bytes";
    /** The limit that the upstream reported. */
    readonly allowedInputs: number | undefined;

    constructor(message: string, unit: "inputs" | "bytes", allowedInputs?: number) {
        super(400, "batch_too_large", message);
        this.unit = unit;
        this.allowedInputs = allowedInputs;
    }
}

export function toUpstreamError(error: unknown): UpstreamError {
    if (error instanceof UpstreamError) return error;
    const message = error instanceof Error ? error.message : String(error);
    return new UpstreamError(503, "upstream_failed", message);
}

/** The deadline of the request has passed, whatever the upstream does. */
export function deadlineError(): UpstreamError {
    return new UpstreamError(504, "upstream_timeout", "The upstream did not answer in time");
}
