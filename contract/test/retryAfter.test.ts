import { expect, test } from "@jest/globals";
import { parseRetryAfter } from "../src/retryAfter.ts";

const now = Date.UTC(2026, 0, 1);

test.each([
    ["2", 2_000],
    ["0.5", 500],
    [new Date(now + 5_000).toUTCString(), 5_000],
    [new Date(now - 5_000).toUTCString(), 0],
    // Longer than the bound.
    ["61", 60_000],
    ["9".repeat(300), 60_000],
    [new Date(now + 3_600_000).toUTCString(), 60_000],
    // Neither seconds nor a date.
    ["soon", undefined],
    ["-5", undefined],
    ["", undefined],
    ["1e9", undefined],
])("%j is %p milliseconds", (value, expected) => {
    expect(parseRetryAfter(value, { now, maxMilliseconds: 60_000 })).toBe(expected);
});
