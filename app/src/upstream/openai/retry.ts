import { setTimeout as wait } from "node:timers/promises";

import { parseRetryAfter } from "@property-search/contract";

export interface RetryOptions {
    /** Maximum number of attempts, depending on the last error. */
    readonly attempts: (error: Error) => number;
    readonly firstDelayMilliseconds: number;
    readonly maxDelayMilliseconds: number;
    /** In milliseconds of `performance.now()`: no further attempt starts after it. */
    readonly deadline: number;
    readonly budget?: RetryBudget;
    /** In [0, 1). */
    readonly random?: () => number;
}

/** Limits retries to a share of all calls, so that they cannot multiply an outage. */
export interface RetryBudget {
    readonly onSuccess: () => void;
    /** Takes one retry from the budget, if available. */
    readonly take: () => boolean;
}

const MAX_TOKENS = 100;
const TOKENS_PER_SUCCESS = 0.2;

/**
 * A token bucket filled by successes: in the long run, at most one retry per five calls (gRFC A6,
 * throttling).
 */
function createRetryBudget(): RetryBudget {
    let tokens = MAX_TOKENS;
    return {
        onSuccess: () => {
            tokens = Math.min(MAX_TOKENS, tokens + TOKENS_PER_SUCCESS);
        },
        take: () => {
            if (tokens < 1) return false;
            tokens -= 1;
            return true;
        },
    };
}

/** @returns the budget of a tenant: one whose texts always fail must not use up the retries of others */
export function createRetryBudgets(): (tenant: string) => RetryBudget {
    const budgets = new Map<string, RetryBudget>();
    return (tenant) => {
        const budget = budgets.get(tenant) ?? createRetryBudget();
        budgets.set(tenant, budget);
        return budget;
    };
}

/** A failed attempt, and whether and when to retry it. */
export interface Failure {
    readonly error: Error;
    readonly isRetryable: boolean;
    readonly retryAfterMilliseconds?: number | undefined;
    /** No call will succeed before this has elapsed. */
    readonly cooldownMilliseconds?: number | undefined;
    /** The sender seems to be rejected, but an input may be the cause. */
    readonly mayBeInputs?: boolean;
    /** False if the endpoint has not received it. */
    readonly wasSent?: boolean;
}

export type Attempt<T> = { readonly value: T } | Failure;

/**
 * Retries with full jitter (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/), so
 * that clients that failed together do not retry together. Retry-After is a lower bound; one past the
 * deadline ends the retries.
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
            budget?.onSuccess();
            return outcome.value;
        }
        failures += 1;
        if (!outcome.isRetryable || failures >= attempts(outcome.error)) throw outcome.error;
        const ceiling = Math.min(firstDelayMilliseconds * 2 ** failures, maxDelayMilliseconds);
        const delay = (outcome.retryAfterMilliseconds ?? 0) + random() * ceiling;
        if (performance.now() + delay >= deadline) throw outcome.error;
        if (budget?.take() === false) throw outcome.error;
        await wait(delay);
    }
}

/** Headers of Azure and OpenAI in milliseconds, which are more precise than Retry-After. */
const MILLISECOND_HEADERS = ["retry-after-ms", "x-ms-retry-after-ms"];
/** A wrong value stops the calls no longer than this; clients get the same. */
const MAX_RETRY_AFTER_MILLISECONDS = 60_000;

/** @returns the delay in milliseconds that the headers of a response ask for */
export function readRetryAfter(
    headers: Readonly<Record<string, string | string[] | undefined>>,
    now: number,
): number | undefined {
    for (const name of MILLISECOND_HEADERS) {
        const value = headers[name];
        if (typeof value === "string" && NUMBER.test(value)) return limitRetryAfter(Number(value));
    }
    const value = headers["retry-after"];
    if (typeof value !== "string") return undefined;
    return parseRetryAfter(value, { now, maxMilliseconds: MAX_RETRY_AFTER_MILLISECONDS });
}

const NUMBER = /^\d+(\.\d+)?$/;

/** @returns the part of a delay that is waited for */
export function limitRetryAfter(milliseconds: number): number {
    return Math.min(milliseconds, MAX_RETRY_AFTER_MILLISECONDS);
}
