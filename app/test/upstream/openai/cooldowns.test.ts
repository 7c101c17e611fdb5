import { describe, expect, test } from "@jest/globals";
import type { ServerResponse } from "node:http";
import { readRetryAfter } from "../../../src/upstream/openai/retry.ts";
import { embedAll, outcomesOf } from "../../support/embedAll.ts";
import { eventually } from "../../support/eventually.ts";
import { reply } from "../../support/stubUpstream.ts";
import { createContext } from "../../support/requestContext.ts";
import {
    always,
    embedOne,
    stub,
    texts,
    TOTAL_MILLISECONDS,
    upstream,
    useStubUpstream,
} from "../../support/openaiUpstream.ts";

useStubUpstream();

describe("an API that asks for a cooldown", () => {
    test("gets it, from all calls, until the time is over", async () => {
        stub.misbehave((_, response) => reply(response, 429, "slow", { "retry-after-ms": "150" }));
        const begun = performance.now();
        const calls = await Promise.all(
            texts.map(async (text) => {
                await embedAll(upstream, [{ kind: "text", text }], createContext());
                return performance.now() - begun;
            }),
        );
        for (const took of calls) expect(took).toBeGreaterThanOrEqual(149);
    });

    test("for longer than a request's deadline gets no other request", async () => {
        stub.misbehave((_, response) => reply(response, 429, "slow", { "retry-after": "60" }));
        for (let n = 0; n < 20; n += 1) {
            await expect(embedOne()).rejects.toMatchObject({
                status: 429,
                code: "rate_limit_exceeded",
            });
        }
        expect(stub.requests).toHaveLength(1);
    });

    test("keeps the longest of those of its calls in flight", async () => {
        let second: ServerResponse | undefined;
        stub.misbehave(
            (_, response) => reply(response, 429, "slow", { "retry-after": "30" }),
            (_, response) => void (second = response),
        );
        const both = [{ kind: "text", text: "a" } as const, { kind: "tokens", ids: [1] } as const];
        const outcomes = outcomesOf(upstream, both, createContext(TOTAL_MILLISECONDS));
        const isCooling = (): boolean =>
            !JSON.stringify(upstream.state()).includes('"cooldownMilliseconds":0');
        await eventually("the first call has failed", () => isCooling() && second !== undefined);
        if (second) reply(second, 429, "slow", { "retry-after-ms": "1" });
        expect(await outcomes).toMatchObject([{ status: 429 }, { status: 429 }]);
        expect(stub.requests).toHaveLength(2);
    });

    test("because of an exhausted quota is not called four times", async () => {
        always((_, response) =>
            reply(response, 429, { error: { message: "quota", code: "insufficient_quota" } }),
        );
        // Less time than until the quota is checked again.
        for (let n = 0; n < 3; n += 1) {
            await expect(embedOne(5_000)).rejects.toMatchObject({
                status: 503,
                code: "upstream_rejected",
            });
        }
        expect(stub.requests).toHaveLength(1);
    });
});

describe("Retry-After", () => {
    test("in milliseconds is more precise, by the names of Azure and OpenAI", () => {
        const now = Date.now();
        expect(readRetryAfter({ "retry-after-ms": "1500", "retry-after": "2" }, now)).toBe(1_500);
        expect(readRetryAfter({ "x-ms-retry-after-ms": "20" }, now)).toBe(20);
        expect(readRetryAfter({ "retry-after-ms": "soon", "retry-after": "2" }, now)).toBe(2_000);
        expect(readRetryAfter({ "retry-after": "61" }, now)).toBe(60_000);
        expect(readRetryAfter({}, now)).toBeUndefined();
    });
});
