import { describe, expect, test } from "@jest/globals";
import { readRetryAfter } from "../../../src/upstream/openai/retry.ts";
import { embedAll } from "../../support/embedAll.ts";
import { reply } from "../../support/stubUpstream.ts";
import { createContext } from "../../support/requestContext.ts";
import {
    always,
    embedOne,
    stub,
    texts,
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
