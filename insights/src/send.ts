import { parseRetryAfter } from "@property-search/contract";
import { setTimeout as delay } from "node:timers/promises";

export interface SendOptions {
    /** Longest time for all attempts. Default: two minutes */
    readonly limitMilliseconds?: number;
    /** Delays before later attempts, unless the receiver names one. Default: 1, 4 and 16 s */
    readonly retryMilliseconds?: readonly number[];
    /** Timeout of an attempt. Default: 10 s */
    readonly timeoutMilliseconds?: number;
}

interface Request {
    readonly method: "GET" | "POST" | "PUT";
    readonly headers: Readonly<Record<string, string>>;
    readonly body?: string;
}

/** A request that was not accepted. Its message has the reason, and never the URL. */
export class SendError extends Error {
    /** Status of the response; undefined if there was none. */
    readonly status: number | undefined;
    readonly retryAfterMilliseconds: number | undefined;

    constructor(reason: string, status?: number, retryAfterMilliseconds?: number) {
        super(reason);
        this.status = status;
        this.retryAfterMilliseconds = retryAfterMilliseconds;
    }

    get isTemporary(): boolean {
        return this.status === undefined || this.status === 429 || this.status >= 500;
    }
}

/**
 * Sends a request. Network errors, 429 and 5xx are retried with backoff, or after the time of Retry-After.
 *
 * @param explain words for the body of a rejection, which may contain secrets; they follow its status
 * @returns the text of the response
 * @throws SendError with the reason of the last attempt
 */
export async function send(
    url: string,
    request: Request,
    explain: (text: string) => string,
    {
        limitMilliseconds = 120_000,
        retryMilliseconds = [1_000, 4_000, 16_000],
        timeoutMilliseconds = 10_000,
    }: SendOptions = {},
): Promise<string> {
    const end = performance.now() + limitMilliseconds;
    for (let attempt = 0; ; attempt += 1) {
        const result = await sendOnce(url, request, explain, timeoutMilliseconds);
        if (typeof result === "string") return result;
        const backoff = retryMilliseconds[attempt];
        if (!result.isTemporary || backoff === undefined) throw result;
        const wait = result.retryAfterMilliseconds ?? backoff;
        if (performance.now() + wait > end) {
            throw new SendError(`${result.message}; retry only after ${Math.ceil(wait / 1000)} s`);
        }
        await delay(wait);
    }
}

async function sendOnce(
    url: string,
    request: Request,
    explain: (text: string) => string,
    timeout: number,
): Promise<string | SendError> {
    try {
        const signal = AbortSignal.timeout(timeout);
        const response = await fetch(url, { ...request, redirect: "error", signal });
        const text = await response.text();
        if (response.ok) return text;
        return new SendError(
            `status ${response.status}${explain(text)}`,
            response.status,
            // One that is too long ends the attempts, and is named.
            parseRetryAfter(response.headers.get("retry-after") ?? "", {
                now: Date.now(),
                maxMilliseconds: Infinity,
            }),
        );
    } catch (error) {
        const { cause, name } = error as {
            readonly cause?: { readonly code?: unknown };
            readonly name?: string;
        };
        const code = typeof cause?.code === "string" ? ` (${cause.code})` : "";
        return new SendError(
            name === "TimeoutError" ? "no answer in time" : `no connection${code}`,
        );
    }
}
