import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";

import type { Input } from "../src/input.ts";
import type { Scope } from "../src/scope.ts";
import { batched } from "../src/upstream/batched.ts";
import { adaptiveConcurrency } from "../src/upstream/concurrency.ts";
import { noEvents, UpstreamError } from "../src/upstream/upstream.ts";
import { embeddingOf, type Embedding } from "../src/vector/embedding.ts";
import { eventually } from "./support/eventually.ts";
import { scopeFor } from "./support/scope.ts";
import { trueTokens, trueVector } from "./support/vectors.ts";
import { propertyRuns } from "../../tests/support/property.ts";

const BAD = "bad";
const textsOf = (inputs: readonly Input[]): string[] =>
    inputs.map((input) => (input.kind === "text" ? input.text : ""));
const inputsOf = (texts: readonly string[]): Input[] =>
    texts.map((text) => ({ kind: "text", text }));

/** An upstream that answers right, when the test lets it. */
function upstream(limit: number) {
    const calls: { texts: string[]; scope: Scope }[] = [];
    let gate: Promise<unknown> = Promise.resolve();
    const embed = batched(
        {
            embed: async (inputs, scope): Promise<readonly Embedding[]> => {
                const texts = textsOf(inputs);
                calls.push({ texts, scope });
                await gate;
                if (texts.some((text) => text.includes(BAD))) {
                    throw new UpstreamError(400, "refused", "refused");
                }
                return texts.map((text) =>
                    embeddingOf(trueVector(text, scope.dimensions), trueTokens(text), false),
                );
            },
        },
        {
            concurrency: {
                limit: () => limit,
                succeeded: () => undefined,
                pressed: () => undefined,
            },
            events: noEvents,
        },
    );
    return {
        calls,
        close: (): (() => void) => {
            const { promise, resolve } = Promise.withResolvers<undefined>();
            gate = promise;
            return () => resolve(undefined);
        },
        ask: (texts: readonly string[], scope: Partial<Scope> = {}) =>
            embed(inputsOf(texts), { ...scopeFor(), ...scope }),
    };
}

describe("calls of the upstream", () => {
    test("give every request its own vectors, whatever was joined", async () => {
        const word = fc.oneof(
            { weight: 9, arbitrary: fc.string({ minLength: 1, maxLength: 8 }) },
            { weight: 1, arbitrary: fc.constant(BAD) },
        );
        const request = fc.record({
            texts: fc.array(word, { minLength: 1, maxLength: 5 }),
            tenant: fc.constantFrom("a", "b"),
            dimensions: fc.constantFrom(undefined, 4),
        });
        await fc.assert(
            fc.asyncProperty(
                fc.array(request, { minLength: 1, maxLength: 12 }),
                async (requests) => {
                    const { ask } = upstream(2);
                    const settled = await Promise.allSettled(
                        requests.map(({ texts, ...scope }) => ask(texts, scope)),
                    );
                    settled.forEach((outcome, at) => {
                        const { texts = [], dimensions } = requests[at] ?? {};
                        const bad = texts.some((text) => text.includes(BAD));
                        expect(outcome.status).toBe(bad ? "rejected" : "fulfilled");
                        if (outcome.status === "rejected") return;
                        expect(outcome.value.map(({ vector }) => vector)).toEqual(
                            texts.map((text) => trueVector(text, dimensions)),
                        );
                    });
                },
            ),
            propertyRuns(300),
        );
    });

    test("that wait for others join the next one", async () => {
        const { ask, calls, close } = upstream(1);
        const open = close();
        const first = ask(["first"]);
        await eventually("the first has gone", () => calls.length === 1);
        const others = ["a", "b", "c"].map((text) => ask([text]));
        open();
        await Promise.all([first, ...others]);
        expect(calls.map(({ texts }) => texts)).toEqual([["first"], ["a", "b", "c"]]);
    });

    test("take tenants in turn, and never mix lengths of vectors", async () => {
        const { ask, calls, close } = upstream(1);
        const open = close();
        const all = [ask(["first"])];
        await eventually("the first has gone", () => calls.length === 1);
        const bulk = Array.from({ length: 200 }, (_, n) => `bulk ${n}`);
        all.push(ask(bulk, { tenant: "bulk" }), ask(bulk, { tenant: "bulk" }));
        all.push(ask(["small"], { tenant: "other" }), ask(["short"], { dimensions: 4 }));
        open();
        await Promise.all(all);
        const second = calls[1]?.texts ?? [];
        expect(second).toHaveLength(201);
        expect(second).toContain("small");
        const short = calls.find(({ texts }) => texts.includes("short"));
        expect(short?.texts).toEqual(["short"]);
        expect(short?.scope.dimensions).toBe(4);
    });

    test("are refused at once when they could only wait in vain", async () => {
        const { ask, calls, close } = upstream(1);
        const open = close();
        const first = ask(["first"]);
        await eventually("the first has gone", () => calls.length === 1);
        const many = Array.from({ length: 2_000 }, (_, n) => String(n));
        const waiting = Array.from({ length: 10 }, () => ask(many));
        await expect(ask(["one too many"])).rejects.toMatchObject({
            status: 503,
            code: "overloaded",
        });
        open();
        await Promise.all([first, ...waiting]);
    });

    test("whose time is up before they begin are not made", async () => {
        const { ask, calls, close } = upstream(1);
        const open = close();
        const first = ask(["first"]);
        await eventually("the first has gone", () => calls.length === 1);
        const late = ask(["late"], { deadline: performance.now() + 5 });
        const refused = expect(late).rejects.toMatchObject({ status: 504 });
        await new Promise((resolve) => setTimeout(resolve, 20));
        open();
        await Promise.all([first, refused]);
        expect(calls).toHaveLength(1);
    });
});

describe("adaptive concurrency", () => {
    test("grows while it is used and answered, and falls once a second at most", () => {
        let now = 0;
        const concurrency = adaptiveConcurrency(() => now);
        const first = concurrency.limit();
        for (let n = 0; n < 100; n += 1) concurrency.succeeded(1);
        expect(concurrency.limit()).toBe(first);
        for (let n = 0; n < 100; n += 1) concurrency.succeeded(concurrency.limit());
        const grown = concurrency.limit();
        expect(grown).toBeGreaterThan(first);
        concurrency.pressed();
        concurrency.pressed();
        expect(concurrency.limit()).toBe(Math.floor(grown * 0.7));
        for (let n = 0; n < 50; n += 1) {
            now += 1_000;
            concurrency.pressed();
        }
        expect(concurrency.limit()).toBe(1);
    });
});
