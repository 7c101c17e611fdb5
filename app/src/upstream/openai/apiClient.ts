import { EnvHttpProxyAgent, request } from "undici";

import type { Input } from "../../input.ts";
import type { Span } from "../../tracing/tracing.ts";
import type { ProxyConfig } from "../config.ts";
import { CallTooLargeError, UpstreamError } from "../upstream.ts";
import { classifyFailure, NOT_THE_ENCODING, type FailedCall } from "./failure.ts";
import type { ParsedResponse } from "./response.ts";
import { readResponseBytes } from "./responseBytes.ts";
import type { ResponseParser } from "./responseParser.ts";

/** base64 is exact and a third of the bytes. Voyage rejects `float`, and others do not know the field. */
export const ENCODINGS = ["base64", "float", "default"] as const;
export type Encoding = (typeof ENCODINGS)[number];

export interface CallOptions {
    /** Requested dimensions; undefined for the native ones. */
    readonly dimensions: number | undefined;
    /** In milliseconds of `performance.now()`. */
    readonly deadline: number;
    readonly span?: Span | undefined;
}

export type CallResult = { readonly response: ParsedResponse } | FailedCall;

export interface ApiClientOptions {
    /**
     * Base URL with the version path, such as `https://host/v1`; its query, such as Azure's `api-version`, is
     * kept.
     */
    readonly url: URL;
    readonly apiKey: string | undefined;
    readonly model: string;
    /** Shared by all endpoints of the model. */
    readonly responseParser: Pick<ResponseParser, "parse">;
    /** Native dimensions of the model, if known. */
    readonly nativeDimensions: () => number | undefined;
    readonly attemptTimeoutMilliseconds: number;
    readonly proxy?: ProxyConfig | undefined;
}

/** Client of an endpoint's `POST /embeddings`. */
export interface ApiClient {
    /** Sends one HTTP request. */
    readonly send: (
        inputs: readonly Input[],
        options: CallOptions,
        encoding: Encoding,
    ) => Promise<CallResult>;
    readonly close: () => Promise<void>;
}

const CONNECTIONS = 64;
const CONNECT_TIMEOUT_MILLISECONDS = 3_000;
const OVERHEAD_BYTES = 1024 * 1024;
/** Errors are parsed on the event loop; larger ones are not read. */
const MAX_ERROR_BYTES = 256 * 1024;
const NUMBER_BYTES = 25;
const MAX_DIMENSIONS = 16_384;
/** More than 2,048 inputs of 3,072 dimensions, and less than the runtime's maximum string length. */
const MAX_RESPONSE_BYTES = 256 * 1024 * 1024;

export function createApiClient(options: ApiClientOptions): ApiClient {
    const { url, apiKey, model, responseParser, nativeDimensions } = options;
    const target = embeddingsUrl(url);
    const agent = new EnvHttpProxyAgent({
        connections: CONNECTIONS,
        connect: { timeout: CONNECT_TIMEOUT_MILLISECONDS },
        ...proxyOptions(options.proxy),
    });
    const headers = {
        "content-type": "application/json",
        // Vectors are barely compressible; compressed responses are supported anyway.
        "accept-encoding": "identity",
        ...apiKeyHeader(url, apiKey),
    };

    async function send(
        inputs: readonly Input[],
        { dimensions, deadline, span }: CallOptions,
        encoding: Encoding,
    ): Promise<CallResult> {
        const body = JSON.stringify({
            model,
            input: inputs.map((input) => (input.kind === "text" ? input.text : input.ids)),
            ...(encoding === "default" ? {} : { encoding_format: encoding }),
            ...(dimensions === undefined ? {} : { dimensions }),
        });
        const remaining = deadline - performance.now();
        // Node requires an integer.
        const timeout = Math.ceil(
            Math.max(1, Math.min(options.attemptTimeoutMilliseconds, remaining)),
        );
        const signal = AbortSignal.timeout(timeout);
        try {
            const response = await request(target, {
                dispatcher: agent,
                method: "POST",
                headers: span ? { ...headers, ...span.headers() } : headers,
                body,
                signal,
            });
            const { statusCode: status, headers: received } = response;
            const read = (maxBytes: number): Promise<Buffer> =>
                readResponseBytes(response.body, received["content-encoding"], maxBytes);
            if (status === 200) {
                const maxBytes = maxResponseBytes(inputs.length, dimensions ?? nativeDimensions());
                return await parse(await read(maxBytes), inputs.length);
            }
            // Some APIs quote all inputs in an error. Without its text, the status decides.
            const text = await read(MAX_ERROR_BYTES).then(String, () => "");
            return classifyFailure({ status, headers: received, text }, inputs);
        } catch (error) {
            return { error: describeError(error, signal), isRetryable: true, ...NOT_THE_ENCODING };
        }
    }

    /** APIs may use base64 for other content, such as a list, or float64. */
    async function parse(json: Buffer, count: number): Promise<CallResult> {
        try {
            return { response: await responseParser.parse(json, count) };
        } catch (error) {
            if (!(error instanceof UpstreamError)) throw error;
            const isRetryable = !(error instanceof CallTooLargeError);
            return { error, isRetryable, mayBeEncoding: isRetryable, namesEncoding: false };
        }
    }

    return { send, close: () => agent.destroy() };
}

/** Keeps the query, such as Azure's `api-version`. */
function embeddingsUrl(url: URL): string {
    const target = new URL(url);
    target.pathname = `${url.pathname.replace(/\/$/, "")}/embeddings`;
    return target.href;
}

/** Azure's keys are not bearer tokens; its URLs are recognised by their `api-version`. */
function apiKeyHeader(url: URL, apiKey: string | undefined): Record<string, string> {
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

/** A number has at most 25 bytes of text; the dimensions of an unknown model are bounded. */
function maxResponseBytes(inputs: number, dimensions = MAX_DIMENSIONS): number {
    return Math.min(OVERHEAD_BYTES + inputs * (dimensions * NUMBER_BYTES), MAX_RESPONSE_BYTES);
}

function describeError(error: unknown, signal: AbortSignal): UpstreamError {
    if (error instanceof UpstreamError) return error;
    if (signal.aborted) {
        return new UpstreamError(504, "upstream_timeout", "The upstream did not answer in time");
    }
    const { code } = error as { code?: unknown };
    const reason = typeof code === "string" ? code : "network";
    const message = `The upstream could not be reached (${reason})`;
    return new UpstreamError(503, "upstream_unreachable", message);
}
