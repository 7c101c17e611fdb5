const NUMBER = /^\d+(\.\d+)?$/;

export interface RetryAfterBounds {
    /** In milliseconds since the Unix epoch. */
    readonly now: number;
    /** A longer delay counts as this one. */
    readonly maxMilliseconds: number;
}

/** @returns milliseconds, from a Retry-After in seconds or as an HTTP date (RFC 9110, 10.2.3); undefined if it is neither */
export function parseRetryAfter(
    value: string,
    { now, maxMilliseconds }: RetryAfterBounds,
): number | undefined {
    if (NUMBER.test(value)) return Math.min(Number(value) * 1000, maxMilliseconds);
    // Other numbers are not dates, although Date.parse would accept some.
    const date = /[a-z]/i.test(value) ? Date.parse(value) : NaN;
    return Number.isNaN(date) ? undefined : Math.min(Math.max(0, date - now), maxMilliseconds);
}
