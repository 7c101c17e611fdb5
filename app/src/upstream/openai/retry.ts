import { setTimeout as wait } from "node:timers/promises";

export interface RetryOptions {
    /** Most attempts, by how the last one failed. */
    readonly attempts: (error: Error) => number;
    readonly firstDelayMilliseconds: number;
    readonly maxDelayMilliseconds: number;
    /** In milliseconds of `performance.now()`: no further attempt begins after it. */
    readonly deadline: number;
    readonly budget?: RetryBudget;
    /** In [0, 1). */
    readonly random?: () => number;
}

/** Bounds retries to a share of all calls, so that they cannot multiply an outage. */
export interface RetryBudget {
    readonly succeeded: () => void;
    /** Takes one retry out of it, if there is one. */
    readonly take: () => boolean;
}

const MOST_TOKENS = 100;
const TOKENS_A_SUCCESS = 0.2;

/** A bucket that successes fill: at most one retry in five calls in the long run (gRFC A6, throttling). */
export function retryBudget(): RetryBudget {
    let tokens = MOST_TOKENS;
    return {
        succeeded: () => {
            tokens = Math.min(MOST_TOKENS, tokens + TOKENS_A_SUCCESS);
        },
        take: () => {
            if (tokens < 1) return false;
            tokens -= 1;
            return true;
        },
    };
}

/** What a failed attempt asks for: how long to stay away, or that trying again is of no use. */
export interface Failure {
    readonly error: Error;
    readonly again: boolean;
    readonly retryAfterMilliseconds?: number | undefined;
    /** No call will be answered before this is over. */
    readonly restMilliseconds?: number | undefined;
    /** False: the endpoint did not see it. */
    readonly wasSent?: boolean;
}

export type Attempt<T> = { readonly value: T } | Failure;

/**
 * Tries until it works, with full jitter between attempts
 * (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/): clients that failed
 * together must not come back together. A Retry-After is a lower bound; one past the deadline ends it.
 */
export async function retry<T>(
    attempt: () => Promise<Attempt<T>>,
    options: RetryOptions,
): Promise<T> {
    const { attempts, firstDelayMilliseconds, maxDelayMilliseconds, deadline } = options;
    const { random = Math.random, budget } = options;
    for (let failures = 0; ;) {
        const outcome = await attempt();
        if ("value" in outcome) {
            budget?.succeeded();
            return outcome.value;
        }
        failures += 1;
        if (!outcome.again || failures >= attempts(outcome.error)) throw outcome.error;
        const ceiling = Math.min(firstDelayMilliseconds * 2 ** failures, maxDelayMilliseconds);
        const delay = (outcome.retryAfterMilliseconds ?? 0) + random() * ceiling;
        if (performance.now() + delay >= deadline) throw outcome.error;
        if (budget?.take() === false) throw outcome.error;
        await wait(delay);
    }
}

/** In milliseconds, which are more exact than Retry-After: Azure's and OpenAI's names. */
const MILLISECOND_HEADERS = ["retry-after-ms", "x-ms-retry-after-ms"];
const LONGEST_RETRY_AFTER_MILLISECONDS = 86_400_000;

/** @returns milliseconds that the headers of an answer ask to wait for. */
export function readRetryAfter(
    headers: Readonly<Record<string, string | string[] | undefined>>,
    now: number,
): number | undefined {
    for (const name of MILLISECOND_HEADERS) {
        const value = headers[name];
        if (typeof value === "string" && NUMBER.test(value)) return bounded(Number(value));
    }
    const value = headers["retry-after"];
    return typeof value === "string" ? parseRetryAfter(value, now) : undefined;
}

const NUMBER = /^\d+(\.\d+)?$/;

/** @returns milliseconds, from a Retry-After of seconds or of an HTTP date (RFC 9110, 10.2.3). */
export function parseRetryAfter(value: string, now: number): number | undefined {
    if (NUMBER.test(value)) return bounded(Number(value) * 1000);
    // A number that is none of these is no date either, though Date.parse would read one.
    const date = /[a-z]/i.test(value) ? Date.parse(value) : NaN;
    return Number.isNaN(date) ? undefined : bounded(Math.max(0, date - now));
}

function bounded(milliseconds: number): number {
    return Math.min(milliseconds, LONGEST_RETRY_AFTER_MILLISECONDS);
}
