import { Agent, request, type Dispatcher } from "undici";

import type { Input } from "../../input.ts";
import type { Embedding } from "../../vector/embedding.ts";
import { UpstreamError, type Upstream } from "../upstream.ts";
import { readAnswer } from "./answer.ts";
import { dimensionsFault, nativeDimensions, shortens } from "./models.ts";
import { parseRetryAfter, retry, type Attempt } from "./retry.ts";

export interface OpenaiOptions {
    /** Base with the version path, such as `https://host/v1`. */
    readonly url: URL;
    readonly apiKey: string | undefined;
    readonly model: string;
    readonly attemptTimeoutMilliseconds?: number;
    readonly firstRetryDelayMilliseconds?: number;
}

const ATTEMPTS = 4;
const CONNECTIONS = 64;
const CONNECT_TIMEOUT_MILLISECONDS = 3_000;
const MAX_RETRY_DELAY_MILLISECONDS = 4_000;

/** Any API that speaks OpenAI's embeddings contract. */
export function openaiUpstream(options: OpenaiOptions): Upstream {
    const { url, apiKey, model } = options;
    const attemptTimeout = options.attemptTimeoutMilliseconds ?? 10_000;
    const endpoint = `${url.href.replace(/\/$/, "")}/embeddings`;
    const agent = new Agent({
        connections: CONNECTIONS,
        connect: { timeout: CONNECT_TIMEOUT_MILLISECONDS },
    });
    const headers = {
        "content-type": "application/json",
        ...(apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` }),
    };
    let native = nativeDimensions(model);
    /** base64 is a third of the bytes and exact; an API that refuses it is asked for numbers. */
    let encoding: "base64" | "float" = "base64";

    async function attempt(
        inputs: readonly Input[],
        dimensions: number | undefined,
        deadline: number,
    ): Promise<Attempt<readonly Embedding[]>> {
        const asked = encoding;
        const body = JSON.stringify({
            model,
            input: inputs.map((input) => (input.kind === "text" ? input.text : input.ids)),
            encoding_format: asked,
            ...(dimensions === undefined ? {} : { dimensions }),
        });
        const timeout = Math.max(1, Math.min(attemptTimeout, deadline - performance.now()));
        const signal = AbortSignal.timeout(timeout);
        try {
            const response = await request(endpoint, {
                dispatcher: agent,
                method: "POST",
                headers,
                body,
                signal,
            });
            const text = await response.body.text();
            if (response.statusCode === 200) {
                const wanted = dimensions ?? native;
                return { value: readAnswer(parse(text), inputs.map(weight), wanted) };
            }
            if (
                asked === "base64" &&
                response.statusCode < 500 &&
                text.includes("encoding_format")
            ) {
                encoding = "float";
                return { error: refused(response, text), again: true };
            }
            return failure(response, text);
        } catch (error) {
            return { error: asUpstreamError(error, signal), again: true };
        }
    }

    return {
        provider: "openai",
        revision: `${url.host}${url.pathname}`,
        dimensions: () => native,
        acceptsTokens: true,
        shortens: shortens(model),
        dimensionsFault: (dimensions) => dimensionsFault(model, dimensions),
        start: () => Promise.resolve(),
        embed: async (inputs, { dimensions, deadline }) => {
            const embeddings = await retry(() => attempt(inputs, dimensions, deadline), {
                attempts: ATTEMPTS,
                firstDelayMilliseconds: options.firstRetryDelayMilliseconds ?? 200,
                maxDelayMilliseconds: MAX_RETRY_DELAY_MILLISECONDS,
                deadline,
            });
            if (dimensions === undefined) native ??= embeddings[0]?.vector.length;
            return embeddings;
        },
        close: () => agent.destroy(),
    };
}

/** Tokens grow with bytes; what matters is that the parts of a call sum to its bill. */
function weight(input: Input): number {
    return input.kind === "text" ? Buffer.byteLength(input.text) : input.ids.length;
}

function parse(text: string): unknown {
    try {
        return JSON.parse(text);
    } catch {
        const message = "The upstream's answer is wrong: it is not JSON";
        throw new UpstreamError(502, "bad_upstream_answer", message);
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
        const error = new UpstreamError(502, "upstream_error", message);
        return { error, again: true, retryAfterMilliseconds: retryAfter };
    }
    return { error: refused(response, text), again: false };
}

/** A refusal of the inputs is the client's to know; a refusal of our key or model is not. */
function refused({ statusCode }: Dispatcher.ResponseData, text: string): UpstreamError {
    if (statusCode !== 400 && statusCode !== 413 && statusCode !== 422) {
        const message = `The upstream refused this service's request (${statusCode})`;
        return new UpstreamError(502, "upstream_refused", message);
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
    return new UpstreamError(502, "upstream_unreachable", message);
}
