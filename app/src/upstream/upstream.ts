import type { Input } from "../input.ts";
import type { Scope } from "../scope.ts";
import type { Embedding } from "../vector/embedding.ts";

/** @returns tokens of a text, never more than the model counts; may stop counting beyond `most` */
export type TokenCounter = (text: string, most: number) => Promise<number>;

/** What became of one input. */
export type InputOutcome = Embedding | UpstreamError;

/** Takes what became of some inputs of a request, by their places in it. */
export type ReportOutcomes = (places: readonly number[], outcomes: readonly InputOutcome[]) => void;

/** Where vectors come from when no cache has them: the port of all providers. */
export interface Upstream {
    readonly provider: string;
    /** Identifies the weights (or the endpoint) behind the model's name; part of every key. */
    readonly revision: string;
    /** Native length of a vector; undefined while the provider has not told. */
    readonly dimensions: () => number | undefined;
    /** Whether token ids of the client are ids of this model's vocabulary. */
    readonly acceptsTokens: boolean;
    /** What is wrong with a client's wish for a length of vectors, or undefined when it can be met. */
    readonly dimensionsFault: (dimensions: number) => string | undefined;
    /** A beginning of this model's vector is a vector too (Matryoshka, arXiv:2205.13147). */
    readonly shortens: boolean;
    /** Undefined when how the model counts is not known. */
    readonly countTokens?: TokenCounter | undefined;
    /** The longest token of a known vocabulary. */
    readonly mostBytesPerToken?: number | undefined;
    /** Resolves when the first embed can be answered. */
    readonly start: () => Promise<void>;
    /**
     * Embeds each input and reports outcomes as calls are answered, so that nothing computed is lost when
     * another call fails. Resolves when each input has exactly one outcome: a sound embedding, or why not.
     */
    readonly embed: (
        inputs: readonly Input[],
        scope: Scope,
        report: ReportOutcomes,
    ) => Promise<void>;
    /** Breakers, queues and what was learned of the provider, for people. */
    readonly state: () => Readonly<Record<string, unknown>>;
    readonly close: () => Promise<void>;
}

/** What may become of an attempt; `refused_input` stands for all of an upstream's own codes. */
export const UPSTREAM_OUTCOMES = [
    "ok",
    "refused_input",
    "rate_limit_exceeded",
    "upstream_error",
    "upstream_timeout",
    "upstream_unreachable",
    "upstream_refused",
    "upstream_unavailable",
    "bad_upstream_answer",
    "bad_vector",
    "model_unavailable",
    "unexpected",
] as const;

export type UpstreamOutcome = (typeof UPSTREAM_OUTCOMES)[number];

/** @returns what an error counts as. */
export function outcomeOf(error: unknown): UpstreamOutcome {
    if (!(error instanceof UpstreamError)) return "unexpected";
    if (error.status === 400) return "refused_input";
    return UPSTREAM_OUTCOMES.find((outcome) => outcome === error.code) ?? "unexpected";
}

/** What there is to count about an upstream; none of it may throw. */
export interface UpstreamEvents {
    /** One attempt at one endpoint ended. */
    readonly attempted: (endpoint: string, outcome: UpstreamOutcome, seconds: number) => void;
    /** A call was answered that joined so many requests. */
    readonly called: (inputs: number, requests: number) => void;
    /** Inputs that wait, calls under way, and how many there may be. */
    readonly waiting: (inputs: number, inFlight: number, limit: number) => void;
    /** A request was refused, because it would have waited in vain. */
    readonly overloaded: () => void;
}

export const noEvents: UpstreamEvents = {
    attempted: () => undefined,
    called: () => undefined,
    waiting: () => undefined,
    overloaded: () => undefined,
};

/** Errors are remembered, and an upstream may quote all that it was sent. */
const MAX_MESSAGE_CHARACTERS = 1_000;
const MAX_CODE_CHARACTERS = 64;

/** A copy: a slice would keep all of the text in memory. */
function beginningOf(text: string, most: number): string {
    return text.length <= most ? text : `${Buffer.from(text.slice(0, most - 1)).toString()}…`;
}

/** Why an upstream gave no embeddings, as the client will be told. */
export class UpstreamError extends Error {
    /**
     * 400: these inputs can never be embedded. 429: later. 503, 504: not the client's fault. Never what a
     * gateway says of a connection that broke (CONNECTION_LOST_STATUS): it would send the request again.
     */
    readonly status: 400 | 429 | 503 | 504;
    /** OpenAI's error code, such as context_length_exceeded. */
    readonly code: string;
    readonly retryAfterSeconds: number | undefined;
    /** Place in the request of the input that it is about. */
    readonly item: number | undefined;
    /** It ended a call of several inputs that was not divided further: any of them may be to blame. */
    readonly isShared: boolean;

    constructor(
        status: UpstreamError["status"],
        code: string,
        message: string,
        retryAfterSeconds?: number,
        item?: number,
        isShared = false,
    ) {
        super(beginningOf(message, MAX_MESSAGE_CHARACTERS));
        this.name = "UpstreamError";
        this.status = status;
        this.code = beginningOf(code, MAX_CODE_CHARACTERS);
        this.retryAfterSeconds = retryAfterSeconds;
        this.item = item;
        this.isShared = isShared;
    }

    /** The same error about one input of a request. */
    at(item: number): UpstreamError {
        const { status, code, message, retryAfterSeconds, isShared } = this;
        return new UpstreamError(status, code, message, retryAfterSeconds, item, isShared);
    }

    /** The same error of a call whose inputs were not tried one by one. */
    shared(): UpstreamError {
        const { status, code, message, retryAfterSeconds, item } = this;
        return new UpstreamError(status, code, message, retryAfterSeconds, item, true);
    }
}

/** The upstream takes fewer inputs a call, or shorter ones. */
export class CallTooLargeError extends UpstreamError {
    readonly unit: "inputs" | "bytes";
    /** As many as the upstream said that it takes. */
    readonly allowedInputs: number | undefined;

    constructor(message: string, unit: "inputs" | "bytes", allowedInputs?: number) {
        super(400, "batch_too_large", message);
        this.unit = unit;
        this.allowedInputs = allowedInputs;
    }
}

export function asUpstreamError(error: unknown): UpstreamError {
    if (error instanceof UpstreamError) return error;
    const message = error instanceof Error ? error.message : String(error);
    return new UpstreamError(503, "upstream_failed", message);
}

/** The time of the request itself is up, whatever the upstream does. */
export function outOfTime(): UpstreamError {
    return new UpstreamError(504, "upstream_timeout", "The upstream did not answer in time");
}
