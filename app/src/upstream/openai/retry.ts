import { setTimeout as wait } from "node:timers/promises";

export interface RetryOptions {
    readonly attempts: number;
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
        if (!outcome.again || failures >= attempts) throw outcome.error;
        const ceiling = Math.min(firstDelayMilliseconds * 2 ** failures, maxDelayMilliseconds);
        const delay = (outcome.retryAfterMilliseconds ?? 0) + random() * ceiling;
        if (performance.now() + delay >= deadline) throw outcome.error;
        if (budget?.take() === false) throw outcome.error;
        await wait(delay);
    }
}

/** @returns milliseconds, from a Retry-After of seconds or of an HTTP date (RFC 9110, 10.2.3). */
export function parseRetryAfter(value: string | undefined, now: number): number | undefined {
    if (value === undefined) return undefined;
    if (/^\d{1,6}(\.\d+)?$/.test(value)) return Number(value) * 1000;
    const date = Date.parse(value);
    return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
