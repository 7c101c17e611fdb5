import { EnvHttpProxyAgent, request } from "undici";

import type { ProxyConfig } from "../../config.ts";
import type { Input } from "../../input.ts";
import type { Log } from "../../log.ts";
import type { Span } from "../../tracing/tracing.ts";
import { within } from "../../withTimeout.ts";
import { cosine, MIN_SAME_VECTOR_COSINE } from "../../vector/cosine.ts";
import { createEmbedding, type Embedding } from "../../vector/embedding.ts";
import { estimateInputTokens } from "../estimateTokens.ts";
import { CallTooLargeError, UpstreamError, type TokenCounter } from "../upstream.ts";
import { bad, divide, type Answer } from "./response.ts";
import type { AnswerReader } from "./responseParser.ts";
import { breaker as openBreaker } from "./breaker.ts";
import { readBytes } from "./responseBytes.ts";
import { NO_DOUBT, readFailure, type RefusedCall } from "./failure.ts";
import type { Attempt, Failure } from "./retry.ts";
import type { VectorLength } from "./vectorLength.ts";

export interface EndpointOptions {
    /**
     * Base URL with the version path, such as `https://host/v1`; its query, such as Azure's `api-version`, is
     * kept.
     */
    readonly url: URL;
    readonly apiKey: string | undefined;
    readonly model: string;
    /** Distributes the tokens of a call over its inputs; undefined: by bytes. */
    readonly countTokens?: TokenCounter | undefined;
    /** Shared by all endpoints of the model. */
    readonly answers: Pick<AnswerReader, "read">;
    readonly length: VectorLength;
    readonly attemptTimeoutMilliseconds: number;
    readonly halfOpenAfterMilliseconds: number;
    readonly proxy?: ProxyConfig | undefined;
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
        wish: Wish,
    ) => Promise<Attempt<readonly Embedding[]>>;
    readonly state: () => Readonly<Record<string, unknown>>;
    readonly close: () => Promise<void>;
}

export interface Wish {
    /** Requested dimensions; undefined for the native ones. */
    readonly dimensions: number | undefined;
    /** In milliseconds of `performance.now()`. */
    readonly deadline: number;
    readonly span?: Span | undefined;
}

/** base64 is exact and a third of the bytes. Voyage rejects `float`, and others do not know the field. */
const ENCODINGS = ["base64", "float", "default"] as const;
type Encoding = (typeof ENCODINGS)[number];

type Asked = { readonly answer: Answer } | RefusedCall;

const CONNECTIONS = 64;
const CONNECT_TIMEOUT_MILLISECONDS = 3_000;
/** Consecutive failures that open the breaker. */
const FAILURES_TO_OPEN = 5;
/** Longer cooldowns requested by an upstream are shortened to this. */
const MAX_COOLDOWN_MILLISECONDS = 60_000;
const ANSWER_BYTES = 1024 * 1024;
/** Errors are parsed on the event loop; larger ones are not read. */
const MAX_ERROR_BYTES = 256 * 1024;
const NUMBER_BYTES = 25;
const LONGEST_VECTOR = 16_384;
/** More than 2,048 inputs of 3,072 dimensions, and less than the runtime's maximum string length. */
const MOST_ANSWER_BYTES = 256 * 1024 * 1024;
/** Vectors do not wait longer for the exact distribution of their tokens. */
const WEIGHING_MILLISECONDS = 250;
const OF_INPUTS = ["upstream_error", "upstream_timeout", "bad_upstream_response"];

export function openaiEndpoint(options: EndpointOptions): Endpoint {
    const { url, apiKey, model, countTokens, answers, length, log } = options;
    const { attemptTimeoutMilliseconds, halfOpenAfterMilliseconds } = options;
    const target = targetOf(url);
    const agent = new EnvHttpProxyAgent({
        connections: CONNECTIONS,
        connect: { timeout: CONNECT_TIMEOUT_MILLISECONDS },
        ...proxyOptions(options.proxy),
    });
    const headers = {
        "content-type": "application/json",
        // Vectors are barely compressible; compressed responses are supported anyway.
        "accept-encoding": "identity",
        ...keyHeader(url, apiKey),
    };
    const breaker = openBreaker({ failures: FAILURES_TO_OPEN, halfOpenAfterMilliseconds });
    /** Until the first valid response, a rejection or an unusual vector may be due to the encoding. */
    let encoding: { name: Encoding; isProven: boolean } = { name: "base64", isProven: false };
    /** Whether the model's native vectors are of unit length; undefined if unknown. */
    let givesUnit: boolean | undefined;
    let rest: { readonly until: number; readonly error: UpstreamError } | undefined;

    async function call(
        inputs: readonly Input[],
        wish: Wish,
    ): Promise<Attempt<readonly Embedding[]>> {
        // Runs while the upstream works.
        const weights = weigh(inputs, countTokens);
        const { name } = encoding;
        const asked = await ask(inputs, wish, name);
        const answered =
            "answer" in asked
                ? await confirm(inputs, wish, asked.answer, name)
                : await askOtherwise(inputs, wish, asked, name);
        if (!("answer" in answered)) return answered;
        const fault = lengthFault(answered.answer, inputs, wish);
        if (fault) return { error: fault, again: fault.status >= 500 };
        const parts = await within(WEIGHING_MILLISECONDS, weights, () => weigh(inputs));
        return { value: embeddingsOf(answered.answer, inputs, parts) };
    }

    /** Sends one HTTP request. */
    async function ask(inputs: readonly Input[], wish: Wish, form: Encoding): Promise<Asked> {
        const { dimensions, deadline, span } = wish;
        const body = JSON.stringify({
            model,
            input: inputs.map((input) => (input.kind === "text" ? input.text : input.ids)),
            ...(form === "default" ? {} : { encoding_format: form }),
            ...(dimensions === undefined ? {} : { dimensions }),
        });
        const left = deadline - performance.now();
        // Node requires an integer.
        const timeout = Math.ceil(Math.max(1, Math.min(attemptTimeoutMilliseconds, left)));
        const signal = AbortSignal.timeout(timeout);
        try {
            const response = await request(target, {
                dispatcher: agent,
                method: "POST",
                headers: span ? { ...headers, ...span.headers() } : headers,
                body,
                signal,
            });
            const { statusCode: status, headers: answered } = response;
            const bytesUpTo = (most: number): Promise<Buffer> =>
                readBytes(response.body, answered["content-encoding"], most);
            if (status === 200) {
                const most = mostBytes(inputs.length, dimensions ?? length.current());
                return await read(await bytesUpTo(most), inputs.length);
            }
            // Some APIs quote all inputs in an error. Without its text, the status decides.
            const text = await bytesUpTo(MAX_ERROR_BYTES).then(String, () => "");
            return readFailure({ status, headers: answered, text }, inputs);
        } catch (error) {
            return { error: asUpstreamError(error, signal), again: true, ...NO_DOUBT };
        }
    }

    /** APIs may use base64 for other content, such as a list, or float64. */
    async function read(json: Buffer, count: number): Promise<Asked> {
        try {
            return { answer: await answers.read(json, count) };
        } catch (error) {
            if (!(error instanceof UpstreamError)) throw error;
            const again = !(error instanceof CallTooLargeError);
            return { error, again, doubtsEncoding: again, namesEncoding: false };
        }
    }

    /** Repeats the call in other encodings, if the encoding may be the cause of the rejection. */
    async function askOtherwise(
        inputs: readonly Input[],
        wish: Wish,
        failed: RefusedCall,
        form: Encoding,
    ): Promise<Asked> {
        let failure = failed;
        let isDoubtful = encoding.isProven ? failed.namesEncoding : failed.doubtsEncoding;
        for (const other of ENCODINGS.slice(ENCODINGS.indexOf(form) + 1)) {
            if (!isDoubtful) break;
            const asked = await ask(inputs, wish, other);
            if ("answer" in asked) {
                prove(other);
                return asked;
            }
            failure = asked;
            isDoubtful = asked.namesEncoding;
        }
        return failure;
    }

    /**
     * Requests unusual vectors again as numbers, to find out whether the model or the encoding is the cause.
     */
    async function confirm(
        inputs: readonly Input[],
        wish: Wish,
        answer: Answer,
        form: Encoding,
    ): Promise<Asked> {
        const isOwn = wish.dimensions === undefined;
        const { areUnit } = answer;
        if (areUnit && isOwn) givesUnit ??= true;
        if (areUnit || (encoding.isProven && !(isOwn && givesUnit === true))) {
            prove(form);
            return { answer };
        }
        const second = await ask(inputs, wish, form === "base64" ? "float" : form);
        if (!("answer" in second)) {
            if (!second.namesEncoding) return second;
            prove(form);
            return { answer };
        }
        const isSame = second.answer.vectors.every((vector, at) =>
            isSameVector(vector, answer.vectors[at]),
        );
        const tokens = sum(answer.tokens, second.answer.tokens);
        if (isSame && (second.answer.isNumbers || answer.arePlausible)) {
            if (isOwn) givesUnit = false;
            prove(form);
            return { answer: { ...answer, tokens } };
        }
        if (form === "base64" && second.answer.areUnit) {
            if (isOwn) givesUnit ??= true;
            prove("float");
            return { answer: { ...second.answer, tokens } };
        }
        const reason = isSame
            ? "its vectors have an implausible length"
            : "a repeated request returned another vector";
        const error = bad(reason);
        return { error, again: true, ...NO_DOUBT };
    }

    function prove(name: Encoding): void {
        if (encoding.isProven && encoding.name === name) return;
        if (name !== "base64")
            log.info({ endpoint: url.host, encoding: name }, "The upstream returns no base64");
        encoding = { name, isProven: true };
    }

    function lengthFault(
        { vectors }: Answer,
        inputs: readonly Input[],
        { dimensions }: Wish,
    ): UpstreamError | undefined {
        const given = vectors[0]?.length ?? 0;
        if (dimensions === undefined) {
            const fault = length.fault(given, subjectOf(inputs));
            return fault === undefined ? undefined : bad(`vector 0 is invalid: ${fault}`);
        }
        if (given === dimensions) return undefined;
        if (given !== length.current()) {
            return bad(`vector 0 is invalid: it has ${given} dimensions instead of ${dimensions}`);
        }
        const message = `This model has vectors of ${given} dimensions only`;
        return new UpstreamError(400, "unsupported_dimensions", message);
    }

    function leftMilliseconds(): number {
        return Math.max(0, (rest?.until ?? 0) - performance.now());
    }

    /** A cooldown applies to all calls, not only to the one that received it. */
    function resting(): Attempt<never> | undefined {
        const left = leftMilliseconds();
        if (!rest || left === 0) return undefined;
        const { status, code, message } = rest.error;
        const error = new UpstreamError(status, code, message, Math.ceil(left / 1000));
        return {
            error,
            again: status === 429 || status === 503,
            retryAfterMilliseconds: left,
            wasSent: false,
        };
    }

    return {
        name: url.host,
        isAvailable: () => breaker.admits() && leftMilliseconds() === 0,
        attempt: async (inputs, wish) => {
            const refused = resting();
            if (refused) return refused;
            if (!breaker.admit()) return { error: breakerOpen(), again: false };
            let error: Error | undefined = new Error("The call did not end");
            try {
                const outcome = await call(inputs, wish);
                error = "error" in outcome ? outcome.error : undefined;
                if ("error" in outcome) startCooldown(outcome);
                return outcome;
            } finally {
                if (error && blamesEndpoint(error)) breaker.failed(subject(error, inputs));
                else breaker.succeeded();
            }
        },
        state: () => ({
            endpoint: url.host,
            breaker: breaker.state(),
            cooldownMilliseconds: Math.round(leftMilliseconds()),
            encoding: encoding.isProven ? encoding.name : "unknown",
        }),
        close: () => agent.destroy(),
    };

    function startCooldown({ error, cooldownMilliseconds }: Failure): void {
        if (cooldownMilliseconds === undefined || !(error instanceof UpstreamError)) return;
        const until = performance.now() + Math.min(cooldownMilliseconds, MAX_COOLDOWN_MILLISECONDS);
        rest = { until, error };
    }
}

/** Keeps the query, such as Azure's `api-version`. */
function targetOf(url: URL): string {
    const target = new URL(url);
    target.pathname = `${url.pathname.replace(/\/$/, "")}/embeddings`;
    return target.href;
}

/** Azure's keys are not bearer tokens; its URLs are recognised by their `api-version`. */
function keyHeader(url: URL, apiKey: string | undefined): Record<string, string> {
    if (apiKey === undefined) return {};
    if (url.searchParams.has("api-version")) return { "api-key": apiKey };
    return { authorization: `Bearer ${apiKey}` };
}

/** Only the configuration applies; undici would otherwise read the environment. */
function proxyOptions({ httpUrl, httpsUrl, exceptHosts }: Partial<ProxyConfig> = {}) {
    return {
        httpProxy: httpUrl?.href ?? "",
        httpsProxy: httpsUrl?.href ?? "",
        noProxy: exceptHosts ?? "",
    };
}

function breakerOpen(): UpstreamError {
    const message = "The upstream circuit breaker is open after repeated failures; retry shortly";
    return new UpstreamError(503, "upstream_unavailable", message, 1);
}

/** Whether an error says something about the endpoint, not only about the inputs. */
function blamesEndpoint(error: Error): boolean {
    return !(error instanceof UpstreamError) || error.status >= 500;
}

function subject(error: Error, inputs: readonly Input[]): unknown {
    if (!(error instanceof UpstreamError) || !OF_INPUTS.includes(error.code)) return undefined;
    return inputs.length === 1 ? subjectOf(inputs) : inputs;
}

function subjectOf([first]: readonly Input[]): string {
    return first?.kind === "text" ? first.text : String(first?.ids);
}

function isSameVector(a: Float32Array, b: Float32Array | undefined): boolean {
    return b !== undefined && cosine(a, b) >= MIN_SAME_VECTOR_COSINE;
}

function sum(a: number | undefined, b: number | undefined): number | undefined {
    return a === undefined || b === undefined ? undefined : a + b;
}

/** A number has at most 25 bytes of text; the dimensions of an unknown model are bounded. */
function mostBytes(inputs: number, dimensions = LONGEST_VECTOR): number {
    return Math.min(ANSWER_BYTES + inputs * (dimensions * NUMBER_BYTES), MOST_ANSWER_BYTES);
}

/**
 * If the model's tokens are unknown or cannot be counted, bytes are the weights, and the parts still sum to
 * the bill. Never rejects, because the result is awaited later.
 */
async function weigh(
    inputs: readonly Input[],
    countTokens?: TokenCounter,
): Promise<readonly number[]> {
    if (inputs.length === 1) return [1];
    const weights = (count: TokenCounter): Promise<readonly number[]> =>
        Promise.all(
            inputs.map(async (input) =>
                input.kind === "text" ? count(input.text, Infinity) : input.ids.length,
            ),
        );
    const bytes: TokenCounter = (text) => Promise.resolve(Buffer.byteLength(text));
    return weights(countTokens ?? bytes).catch(() => weights(bytes));
}

/** Unreported tokens must not be free, so they are estimated. */
function embeddingsOf(
    { vectors, tokens }: Answer,
    inputs: readonly Input[],
    weights: readonly number[],
): readonly Embedding[] {
    const parts = tokens === undefined ? inputs.map(estimateInputTokens) : divide(tokens, weights);
    return vectors.map((vector, at) => createEmbedding(vector, parts[at] ?? 0, false));
}

function asUpstreamError(error: unknown, signal: AbortSignal): UpstreamError {
    if (error instanceof UpstreamError) return error;
    if (signal.aborted) {
        return new UpstreamError(504, "upstream_timeout", "The upstream did not answer in time");
    }
    const { code } = error as { code?: unknown };
    const reason = typeof code === "string" ? code : "network";
    const message = `The upstream could not be reached (${reason})`;
    return new UpstreamError(503, "upstream_unreachable", message);
}
