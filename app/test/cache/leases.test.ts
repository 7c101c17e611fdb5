import { afterEach, beforeEach, describe, expect, jest, test } from "@jest/globals";
import { pino } from "pino";

import { createLeases } from "../../src/cache/leases.ts";

beforeEach(() => {
    jest.useFakeTimers();
});
afterEach(() => {
    jest.useRealTimers();
});

class ReplyError extends Error {
    override readonly name = "ReplyError";
}

/** Leases by a Redis that grants all of them, and fails their release with this error. */
function leasesWith(error: Error) {
    const warnings: string[] = [];
    let releases = 0;
    const log = pino(
        { level: "warn" },
        { write: (line) => void warnings.push((JSON.parse(line) as { msg: string }).msg) },
    );
    const leases = createLeases(
        {
            acquireLeases: (keys) => Promise.resolve(keys.map(() => true)),
            releaseLeases: () => {
                releases += 1;
                return Promise.reject(error);
            },
        },
        { isAvailable: () => true, log },
    );
    return {
        warnings,
        releases: () => releases,
        leaseAndRelease: async (key: string) => {
            await leases.acquireLeases([key], "token", 5_000);
            leases.releaseLeases([key], "token", 0);
            await jest.advanceTimersByTimeAsync(0);
        },
    };
}

describe("A lease whose release fails", () => {
    test.each([
        "NOPERM this user has no permissions to run the 'eval' command",
        "ERR unknown command 'eval', with args beginning with: ",
    ])("with %s is not retried: the lease expires", async (message) => {
        const { leaseAndRelease, releases, warnings } = leasesWith(new ReplyError(message));
        for (let at = 0; at < 2_000; at += 1) await leaseAndRelease(`key ${at}`);
        await jest.advanceTimersByTimeAsync(30_000);
        expect(releases()).toBe(1);
        expect(warnings).toEqual(["Redis denies EVAL: leases are not released and expire instead"]);
        await jest.advanceTimersByTimeAsync(60_000);
        await leaseAndRelease("later");
        expect(releases()).toBe(2);
        expect(warnings).toHaveLength(1);
    });

    test("with another error reply is not retried either", async () => {
        const { leaseAndRelease, releases } = leasesWith(
            new ReplyError("READONLY You can't write"),
        );
        for (let at = 0; at < 10; at += 1) await leaseAndRelease(`key ${at}`);
        await jest.advanceTimersByTimeAsync(30_000);
        expect(releases()).toBe(10);
    });

    test("without a response is retried until there is one", async () => {
        const { leaseAndRelease, releases } = leasesWith(new Error("Command timed out"));
        await leaseAndRelease("key");
        await jest.advanceTimersByTimeAsync(2_000);
        expect(releases()).toBe(5);
    });
});
