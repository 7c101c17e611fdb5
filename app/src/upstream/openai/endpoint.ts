import type { Input } from "../../input.ts";
import type { Log } from "../../log.ts";
import { createEmbedding, type Embedding } from "../../vector/embedding.ts";
import { withTimeout } from "../../withTimeout.ts";
import { estimateInputTokens } from "../estimateTokens.ts";
import { UpstreamError, type TokenCounter } from "../upstream.ts";
import { createApiClient, type ApiClientOptions, type CallOptions } from "./apiClient.ts";
import { createBreaker } from "./breaker.ts";
import { createEncodingNegotiation } from "./encodings.ts";
import { invalidResponseError, type ParsedResponse } from "./response.ts";
import type { Attempt, Failure } from "./retry.ts";
import { distributeTokens, weighInputs } from "./tokenShares.ts";
import type { VectorLength } from "./vectorLength.ts";

export interface EndpointOptions extends Omit<ApiClientOptions, "nativeDimensions"> {
    /** Distributes the tokens of a call over its inputs; undefined: by bytes. */
    readonly countTokens?: TokenCounter | undefined;
    readonly length: VectorLength;
    readonly halfOpenAfterMilliseconds: number;
    readonly log: Log;
}

/** One endpoint that serves the model. */
export interface Endpoint {
    readonly name: string;
    /** Whether a call would be sent now: the breaker allows it, and the endpoint is not in a cooldown. */
    readonly isAvailable: () => boolean;
    /** Sends one call, and classifies a failure. */
    readonly attempt: (
        inputs: readonly Input[],
        options: CallOptions,
    ) => Promise<Attempt<readonly Embedding[]>>;
    readonly state: () => Readonly<Record<string, unknown>>;
    readonly close: () => Promise<void>;
}

/** Consecutive failures that open the breaker. */
const FAILURES_TO_OPEN = 5;
/** Longer cooldowns requested by an upstream are shortened to this. */
const MAX_COOLDOWN_MILLISECONDS = 60_000;
/** Vectors do not wait longer for the exact distribution of their tokens. */
const WEIGHING_MILLISECONDS = 250;
/** Errors that an input may have caused. */
const INPUT_ERRORS = ["upstream_error", "upstream_timeout", "bad_upstream_response"];

export function createEndpoint(options: EndpointOptions): Endpoint {
    const { url, countTokens, length, log, halfOpenAfterMilliseconds } = options;
    const client = createApiClient({ ...options, nativeDimensions: length.current });
    const encodings = createEncodingNegotiation(client, url.host, log);
    const breaker = createBreaker({ failures: FAILURES_TO_OPEN, halfOpenAfterMilliseconds });
    let cooldown: { readonly until: number; readonly error: UpstreamError } | undefined;

    async function call(
        inputs: readonly Input[],
        options: CallOptions,
    ): Promise<Attempt<readonly Embedding[]>> {
        // Runs while the upstream works.
        const weights = weighInputs(inputs, countTokens);
        const result = await encodings.call(inputs, options);
        if (!("response" in result)) return result;
        const { response } = result;
        const error = findLengthError(response, inputs, options);
        if (error) return { error, isRetryable: error.status >= 500 };
        const shares = await withTimeout(WEIGHING_MILLISECONDS, weights, () => weighInputs(inputs));
        return { value: toEmbeddings(response, inputs, shares) };
    }

    function findLengthError(
        { vectors }: ParsedResponse,
        inputs: readonly Input[],
        { dimensions }: CallOptions,
    ): UpstreamError | undefined {
        const actual = vectors[0]?.length ?? 0;
        if (dimensions === undefined) {
            const reason = length.findError(actual, describeFirst(inputs));
            return reason === undefined
                ? undefined
                : invalidResponseError(`vector 0 is invalid: ${reason}`);
        }
        if (actual === dimensions) return undefined;
        if (actual !== length.current()) {
            return invalidResponseError(
                `vector 0 is invalid: it has ${actual} dimensions instead of ${dimensions}`,
            );
        }
        const message = `This model has vectors of ${actual} dimensions only`;
        return new UpstreamError(400, "unsupported_dimensions", message);
    }

    function cooldownMilliseconds(): number {
        return Math.max(0, (cooldown?.until ?? 0) - performance.now());
    }

    /** A cooldown applies to all calls, not only to the one that received it. */
    function findCooldown(): Failure | undefined {
        const milliseconds = cooldownMilliseconds();
        if (!cooldown || milliseconds === 0) return undefined;
        const { status, code, message } = cooldown.error;
        return {
            error: new UpstreamError(status, code, message, Math.ceil(milliseconds / 1000)),
            isRetryable: status === 429 || status === 503,
            retryAfterMilliseconds: milliseconds,
            wasSent: false,
        };
    }

    function startCooldown({ error, cooldownMilliseconds }: Failure): void {
        if (cooldownMilliseconds === undefined || !(error instanceof UpstreamError)) return;
        const until = performance.now() + Math.min(cooldownMilliseconds, MAX_COOLDOWN_MILLISECONDS);
        cooldown = { until, error };
    }

    return {
        name: url.host,
        isAvailable: () => breaker.allowsCall() && cooldownMilliseconds() === 0,
        attempt: async (inputs, options) => {
            const cooling = findCooldown();
            if (cooling) return cooling;
            if (!breaker.tryAcquire()) return { error: breakerOpenError(), isRetryable: false };
            let error: Error | undefined = new Error("The call did not end");
            try {
                const outcome = await call(inputs, options);
                error = "error" in outcome ? outcome.error : undefined;
                if ("error" in outcome) startCooldown(outcome);
                return outcome;
            } finally {
                if (error && isEndpointError(error)) breaker.onFailure(findSubject(error, inputs));
                else breaker.onSuccess();
            }
        },
        state: () => ({
            endpoint: url.host,
            breaker: breaker.state(),
            cooldownMilliseconds: Math.round(cooldownMilliseconds()),
            encoding: encodings.proven() ?? "unknown",
        }),
        close: client.close,
    };
}

function breakerOpenError(): UpstreamError {
    const message = "The upstream circuit breaker is open after repeated failures; retry shortly";
    return new UpstreamError(503, "upstream_unavailable", message, 1);
}

/** Whether an error says something about the endpoint, not only about the inputs. */
function isEndpointError(error: Error): boolean {
    return !(error instanceof UpstreamError) || error.status >= 500;
}

/** @returns what may have caused the error other than the endpoint */
function findSubject(error: Error, inputs: readonly Input[]): unknown {
    if (!(error instanceof UpstreamError) || !INPUT_ERRORS.includes(error.code)) return undefined;
    return inputs.length === 1 ? describeFirst(inputs) : inputs;
}

function describeFirst([first]: readonly Input[]): string {
    return first?.kind === "text" ? first.text : String(first?.ids);
}

/** Unreported tokens must not be free, so they are estimated. */
function toEmbeddings(
    { vectors, tokens }: ParsedResponse,
    inputs: readonly Input[],
    weights: readonly number[],
): readonly Embedding[] {
    const shares =
        tokens === undefined ? inputs.map(estimateInputTokens) : distributeTokens(tokens, weights);
    return vectors.map((vector, at) => createEmbedding(vector, shares[at] ?? 0, false));
}
