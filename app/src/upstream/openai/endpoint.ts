import { Agent, request, type Dispatcher } from "undici";

import type { Input } from "../../input.ts";
import type { Span } from "../../tracing/tracing.ts";
import type { Embedding } from "../../vector/embedding.ts";
import { UpstreamError, type TokenCounter } from "../upstream.ts";
import { readAnswer } from "./answer.ts";
import { breaker as openBreaker } from "./breaker.ts";
import { parseRetryAfter, type Attempt } from "./retry.ts";

export interface EndpointOptions {
    /** Base with the version path, such as `https://host/v1`. */
    readonly url: URL;
    readonly apiKey: string | undefined;
    readonly model: string;
    /** Tells the tokens of a call apart; undefined: by the texts' bytes. */
    readonly countTokens?: TokenCounter | undefined;
    readonly attemptTimeoutMilliseconds: number;
    readonly halfOpenAfterMilliseconds: number;
}

/** One place that serves the model. */
export interface Endpoint {
    readonly name: string;
    /** Its breaker lets a call through, if only to see whether it works again. */
    readonly closed: () => boolean;
    /** One call, and what to make of a failure. */
    readonly attempt: (
        inputs: readonly Input[],
        wish: Wish,
    ) => Promise<Attempt<readonly Embedding[]>>;
    readonly close: () => Promise<void>;
}

export interface Wish {
    /** Asked for; undefined for the model's own length. */
    readonly dimensions: number | undefined;
    /** Expected, if it is known. */
    readonly length: number | undefined;
    /** In milliseconds of `performance.now()`. */
    readonly deadline: number;
    readonly span?: Span | undefined;
}

const CONNECTIONS = 64;
const CONNECT_TIMEOUT_MILLISECONDS = 3_000;
/** So many failures in a row, and nobody waits for this endpoint any more. */
const FAILURES_TO_OPEN = 5;
const ANSWER_BYTES = 1024 * 1024;
const NUMBER_BYTES = 25;
const LONGEST_VECTOR = 16_384;
/** Above 2,048 inputs of 3,072 dimensions, and below the longest string that the runtime can hold. */
const MOST_ANSWER_BYTES = 256 * 1024 * 1024;

export function openaiEndpoint(options: EndpointOptions): Endpoint {
    const { url, apiKey, model, countTokens } = options;
    const { attemptTimeoutMilliseconds, halfOpenAfterMilliseconds } = options;
    const target = `${url.href.replace(/\/$/, "")}/embeddings`;
    const agent = new Agent({
        connections: CONNECTIONS,
        connect: { timeout: CONNECT_TIMEOUT_MILLISECONDS },
    });
    const headers = {
        "content-type": "application/json",
        ...(apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` }),
    };
    const breaker = openBreaker({ failures: FAILURES_TO_OPEN, halfOpenAfterMilliseconds });
    /** base64 is a third of the bytes and exact; an API that refuses it is asked for numbers. */
    let encoding: "base64" | "float" = "base64";

    async function call(
        inputs: readonly Input[],
        wish: Wish,
    ): Promise<Attempt<readonly Embedding[]>> {
        const { dimensions, length, deadline, span } = wish;
        const asked = encoding;
        const body = JSON.stringify({
            model,
            input: inputs.map((input) => (input.kind === "text" ? input.text : input.ids)),
            encoding_format: asked,
            ...(dimensions === undefined ? {} : { dimensions }),
        });
        const left = deadline - performance.now();
        // Whole milliseconds: Node throws at any other number.
        const timeout = Math.ceil(Math.max(1, Math.min(attemptTimeoutMilliseconds, left)));
        const signal = AbortSignal.timeout(timeout);
        // Counted while the upstream works.
        const weights = weigh(inputs, countTokens);
        try {
            const response = await request(target, {
                dispatcher: agent,
                method: "POST",
                headers: span ? { ...headers, ...span.headers() } : headers,
                body,
                signal,
            });
            const text = await bounded(response.body, mostBytes(inputs.length, length));
            if (response.statusCode === 200) {
                return { value: readAnswer(parse(text), await weights, length) };
            }
            const { statusCode } = response;
            if (asked === "base64" && statusCode < 500 && text.includes("encoding_format")) {
                encoding = "float";
                return { error: refused(response, text), again: true };
            }
            return failure(response, text);
        } catch (error) {
            return { error: asUpstreamError(error, signal), again: true };
        }
    }

    return {
        name: url.host,
        closed: breaker.admits,
        attempt: async (inputs, wish) => {
            if (!breaker.admit()) return { error: leftAlone(), again: false };
            let blamed = true;
            try {
                const outcome = await call(inputs, wish);
                blamed = "error" in outcome && blamesEndpoint(outcome.error);
                return outcome;
            } finally {
                if (blamed) breaker.failed();
                else breaker.succeeded();
            }
        },
        close: () => agent.destroy(),
    };
}

function leftAlone(): UpstreamError {
    const message = "The upstream has failed several times and is left alone for a moment";
    return new UpstreamError(503, "upstream_unavailable", message, 1);
}

/** Says something about the endpoint, and not only about the inputs. */
function blamesEndpoint(error: Error): boolean {
    return error instanceof UpstreamError && error.status >= 500;
}

/** Numbers as text take 25 bytes at most; of an unknown model so many numbers are allowed for. */
function mostBytes(inputs: number, dimensions = LONGEST_VECTOR): number {
    return Math.min(ANSWER_BYTES + inputs * (dimensions * NUMBER_BYTES), MOST_ANSWER_BYTES);
}

/** An endpoint that sends without end must not fill the memory of the pod. */
async function bounded(body: Dispatcher.ResponseData["body"], most: number): Promise<string> {
    const chunks: Buffer[] = [];
    let bytes = 0;
    for await (const chunk of body as AsyncIterable<Buffer>) {
        bytes += chunk.length;
        if (bytes > most) {
            const message = `The upstream's answer is wrong: it is larger than ${most} bytes`;
            throw new UpstreamError(503, "bad_upstream_answer", message);
        }
        chunks.push(chunk);
    }
    return Buffer.concat(chunks).toString("utf8");
}

/** Where the model's tokens are not known, bytes stand for them: the parts still sum to the bill. */
function weigh(
    inputs: readonly Input[],
    countTokens: TokenCounter = (text) => Promise.resolve(Buffer.byteLength(text)),
): Promise<readonly number[]> {
    if (inputs.length === 1) return Promise.resolve([1]);
    return Promise.all(
        inputs.map((input) =>
            input.kind === "text"
                ? countTokens(input.text, Infinity)
                : Promise.resolve(input.ids.length),
        ),
    );
}

function parse(text: string): unknown {
    try {
        return JSON.parse(text);
    } catch {
        const message = "The upstream's answer is wrong: it is not JSON";
        throw new UpstreamError(503, "bad_upstream_answer", message);
    }
}

function failure(response: Dispatcher.ResponseData, text: string): Attempt<never> {
    const { statusCode, headers } = response;
    const header = headers["retry-after"];
    const retryAfter = parseRetryAfter(typeof header === "string" ? header : undefined, Date.now());
    if (statusCode === 429) {
        const seconds = Math.ceil((retryAfter ?? 1000) / 1000);
        const message = "The upstream is at its rate limit";
        const error = new UpstreamError(429, "rate_limit_exceeded", message, seconds);
        return { error, again: true, retryAfterMilliseconds: retryAfter };
    }
    if (statusCode >= 500 || statusCode === 408) {
        const message = `The upstream answered ${statusCode}`;
        const error = new UpstreamError(503, "upstream_error", message);
        return { error, again: true, retryAfterMilliseconds: retryAfter };
    }
    return { error: refused(response, text), again: false };
}

/** A refusal of the inputs is the client's to know; a refusal of our key or model is not. */
function refused({ statusCode }: Dispatcher.ResponseData, text: string): UpstreamError {
    if (statusCode !== 400 && statusCode !== 413 && statusCode !== 422) {
        const message = `The upstream refused this service's request (${statusCode})`;
        return new UpstreamError(503, "upstream_refused", message);
    }
    const { message, code } = readError(text);
    return new UpstreamError(400, code, message);
}

function readError(text: string): { message: string; code: string } {
    const fallback = { message: "The upstream refused the input", code: "invalid_input" };
    try {
        const { error } = JSON.parse(text) as { error?: { message?: unknown; code?: unknown } };
        return {
            message: typeof error?.message === "string" ? error.message : fallback.message,
            code: typeof error?.code === "string" ? error.code : fallback.code,
        };
    } catch {
        return fallback;
    }
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
