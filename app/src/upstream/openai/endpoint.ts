import { detach } from "../../detach.ts";
import type { Input } from "../../input.ts";
import type { Log } from "../../log.ts";
import { createEmbedding, type Embedding } from "../../vector/embedding.ts";
import { withTimeout } from "../../withTimeout.ts";
import { estimateInputTokens, maxTokens } from "../estimateTokens.ts";
import { toUpstreamError, UpstreamError } from "../upstream.ts";
import { measureInputs } from "../inputSize.ts";
import { createApiClient, type ApiClientOptions, type CallOptions } from "./apiClient.ts";
import { createBreaker } from "./breaker.ts";
import { createEncodingNegotiation } from "./encodings.ts";
import { invalidResponseError, type ParsedResponse } from "./response.ts";
import type { Attempt, Failure } from "./retry.ts";
import type { ShareCounter } from "./tokenCounterThread.ts";
import { distributeTokens, weighInputs } from "./tokenShares.ts";
import type { VectorLength } from "./vectorLength.ts";

export interface EndpointOptions extends Omit<ApiClientOptions, "nativeDimensions"> {
    /** Distributes the tokens of a call over its inputs; undefined: by bytes. */
    readonly countTokens?: ShareCounter | undefined;
    readonly length: VectorLength;
    readonly halfOpenAfterMilliseconds: number;
    /** A probe was billed. */
    readonly onProbe: (tokens: number) => void;
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
/** Vectors do not wait longer for the exact distribution of their tokens. */
const WEIGHING_MILLISECONDS = 250;
/** A small text, whose vector shows whether an endpoint works. */
export const PROBE = {
    kind: "text",
    text: "Two-bedroom flat near the park, third floor, no lift.",
} as const;
/** An upstream that works answers a text of this size in time. */
const SMALL_BYTES = 4 * 1024;
/** Errors that an input may have caused. */
const INPUT_ERRORS = ["upstream_error", "upstream_timeout", "bad_upstream_response"];
/** Of these, a failure of the endpoint is reported at once, so that a probe costs no time. */
const QUICK_INPUT_ERRORS = ["upstream_error", "bad_upstream_response"];
/** Rejections within this time of a successful probe need no probe of their own. */
const PROBE_VALID_MILLISECONDS = 1_000;

export function createEndpoint(options: EndpointOptions): Endpoint {
    const { url, countTokens, length, onProbe, log } = options;
    const { attemptTimeoutMilliseconds, halfOpenAfterMilliseconds } = options;
    const client = createApiClient({ ...options, nativeDimensions: length.current });
    const encodings = createEncodingNegotiation(client, url.host, log);
    const breaker = createBreaker({ failures: FAILURES_TO_OPEN, halfOpenAfterMilliseconds });
    let cooldown: { readonly until: number; readonly error: UpstreamError } | undefined;
    let probing: Promise<Error | undefined> | undefined;
    let probeSucceededAt = -Infinity;
    let hasWarnedOfTokens = false;

    async function call(
        inputs: readonly Input[],
        options: CallOptions,
    ): Promise<Attempt<readonly Embedding[]>> {
        // Runs while the upstream works.
        const weights = weighInputs(inputs, countTokens);
        const result = await encodings.call(inputs, options);
        if (!("response" in result)) return result;
        const { response } = result;
        // An API that ignores the dimensions returns native vectors, whose length may not be known yet.
        const { dimensions } = options;
        const isOtherLength =
            dimensions !== undefined && response.vectors[0]?.length !== dimensions;
        if (isOtherLength && length.current() === undefined) await probe();
        const error = findLengthError(response, inputs, options);
        if (error) return { error, isRetryable: error.status >= 500 };
        const shares = await withTimeout(WEIGHING_MILLISECONDS, weights, () => weighInputs(inputs));
        const tokens = findTokens(response, inputs);
        const embeddings = toEmbeddings({ ...response, tokens }, inputs, shares);
        if (inputs[0] === PROBE) onProbe(embeddings.reduce((sum, { tokens }) => sum + tokens, 0));
        return { value: embeddings };
    }

    /** @returns undefined if the provider reports none, or more than the inputs can have */
    function findTokens({ tokens }: ParsedResponse, inputs: readonly Input[]): number | undefined {
        const most = maxTokens(inputs);
        if (tokens === undefined || tokens <= most) return tokens;
        if (!hasWarnedOfTokens)
            log.warn(
                { endpoint: url.host, tokens, most },
                "The upstream reports more tokens than its inputs can have: estimating them",
            );
        hasWarnedOfTokens = true;
        return undefined;
    }

    /**
     * Sends a small call, which shows whether the endpoint works. Calls that fail together share one.
     *
     * @returns its error
     */
    function probe(): Promise<Error | undefined> {
        probing ??= sendProbe()
            .catch(toUpstreamError)
            .finally(() => (probing = undefined));
        return probing;
    }

    async function sendProbe(): Promise<Error | undefined> {
        const deadline = performance.now() + attemptTimeoutMilliseconds;
        const outcome = await call([PROBE], { dimensions: undefined, deadline });
        if ("error" in outcome) return outcome.error;
        probeSucceededAt = performance.now();
        return undefined;
    }

    /**
     * A firewall rejects single texts in the words with which others reject a key, and some APIs quote a part of the
     * text. A probe decides, so that one client's text is neither an outage for the others nor for the inputs of the
     * same call.
     */
    async function withRejectionVerified(
        outcome: Attempt<readonly Embedding[]>,
        inputs: readonly Input[],
    ): Promise<Attempt<readonly Embedding[]>> {
        if (!("error" in outcome) || outcome.mayBeInputs !== true || inputs[0] === PROBE)
            return outcome;
        const isRecent = performance.now() - probeSucceededAt < PROBE_VALID_MILLISECONDS;
        if (!isRecent && (await probe()) !== undefined) return outcome;
        const message = "The upstream rejected this input but accepts others";
        const error = new UpstreamError(400, "invalid_input", message);
        // The key may have been revoked since the probe, so that the rejection is not remembered.
        return { error: isRecent ? error.withUncertainty() : error, isRetryable: false };
    }

    /**
     * A call that is large, or is sent late, may time out although the endpoint is healthy, and a model may fail on
     * each of a client's texts. A probe decides, as in HAProxy (`observe`, `on-error fastinter`).
     */
    async function updateBreaker(
        error: Error | undefined,
        inputs: readonly Input[],
        maxMilliseconds: number,
    ): Promise<void> {
        let cause = error;
        const isSmall = inputs.length === 1 && measureInputs(inputs).bytes <= SMALL_BYTES;
        const hadEnoughTime = isSmall && maxMilliseconds >= attemptTimeoutMilliseconds;
        if (isTimeout(error) && !hadEnoughTime) cause = await probe();
        else if (isQuickInputError(error) && breaker.wouldOpen(findSubject(error, inputs)))
            cause = (await probe()) && error;
        if (cause && isEndpointError(cause)) breaker.onFailure(findSubject(cause, inputs));
        else breaker.onSuccess();
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
        const until = performance.now() + cooldownMilliseconds;
        // Calls that were in flight together may name different ends.
        if (until > (cooldown?.until ?? 0)) cooldown = { until, error };
    }

    return {
        name: url.host,
        isAvailable: () => breaker.allowsCall() && cooldownMilliseconds() === 0,
        attempt: async (inputs, options) => {
            const cooling = findCooldown();
            if (cooling) return cooling;
            if (!breaker.tryAcquire()) return { error: breakerOpenError(), isRetryable: false };
            const maxMilliseconds = options.deadline - performance.now();
            let error: Error | undefined = new Error("The call did not end");
            try {
                const outcome = await withRejectionVerified(await call(inputs, options), inputs);
                error = "error" in outcome ? outcome.error : undefined;
                if ("error" in outcome) startCooldown(outcome);
                return outcome;
            } finally {
                detach(updateBreaker(error, inputs, maxMilliseconds));
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

function isTimeout(error: Error | undefined): boolean {
    return error instanceof UpstreamError && error.code === "upstream_timeout";
}

function isQuickInputError(error: Error | undefined): error is UpstreamError {
    return error instanceof UpstreamError && QUICK_INPUT_ERRORS.includes(error.code);
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
