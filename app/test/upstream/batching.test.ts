import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { pino } from "pino";

import { nextBulkTurn } from "../../src/bulkTurn.ts";
import type { Input } from "../../src/input.ts";
import type { RequestContext } from "../../src/requestContext.ts";
import { createCallSizes } from "../../src/upstream/batching/callSize.ts";
import { createAdaptiveConcurrency } from "../../src/upstream/batching/concurrency.ts";
import { CallTooLargeError, UpstreamError } from "../../src/upstream/upstream.ts";
import { createEmbedding, type Embedding } from "../../src/vector/embedding.ts";
import { batchedUpstream, embedAll, outcomesOf, sizesUpTo } from "../support/embedAll.ts";
import { eventually } from "../support/eventually.ts";
import { createContext } from "../support/requestContext.ts";
import { trueTokens, trueVector } from "../support/vectors.ts";
import { propertyRuns } from "../../../tests/support/property.ts";

const log = pino({ level: "silent" });
const BAD = "bad";
const textsOf = (inputs: readonly Input[]): string[] =>
    inputs.map((input) => (input.kind === "text" ? input.text : ""));
const inputsOf = (texts: readonly string[]): Input[] =>
    texts.map((text) => ({ kind: "text", text }));

/** An upstream that responds correctly when the test allows it. */
function upstream(limit: number) {
    const calls: { texts: string[]; context: RequestContext }[] = [];
    let gate: Promise<unknown> = Promise.resolve();
    const embed = batchedUpstream(
        async (inputs, context): Promise<readonly Embedding[]> => {
            const texts = textsOf(inputs);
            calls.push({ texts, context });
            await gate;
            if (texts.some((text) => text.includes(BAD))) {
                throw new UpstreamError(400, "refused", "refused");
            }
            return texts.map((text) =>
                createEmbedding(trueVector(text, context.dimensions), trueTokens(text), false),
            );
        },
        { limit },
    );
    return {
        calls,
        close: (): (() => void) => {
            const { promise, resolve } = Promise.withResolvers<undefined>();
            gate = promise;
            return () => resolve(undefined);
        },
        ask: (texts: readonly string[], context: Partial<RequestContext> = {}) =>
            embedAll(embed, inputsOf(texts), { ...createContext(), ...context }),
    };
}

describe("calls of the upstream", () => {
    test("return every request its own vectors, whatever was batched", async () => {
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
                        requests.map(({ texts, ...context }) => ask(texts, context)),
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

    test("join the next call while they wait for others", async () => {
        const { ask, calls, close } = upstream(1);
        const open = close();
        const first = ask(["first"]);
        await eventually("the first has gone", () => calls.length === 1);
        const others = ["a", "b", "c"].map((text) => ask([text]));
        open();
        await Promise.all([first, ...others]);
        expect(calls.map(({ texts }) => texts)).toEqual([["first"], ["a", "b", "c"]]);
    });

    test("of small requests do not wait for the bulk work of others", async () => {
        const { ask, calls, close } = upstream(1);
        const open = close();
        const first = ask(["first"]);
        await eventually("the first has gone", () => calls.length === 1);
        const bulk = ask(
            Array.from({ length: 100 }, (_, n) => `bulk ${n}`),
            { tenant: "bulk" },
        );
        const small = Array.from({ length: 50 }, (_, n) => ask([`small ${n}`]));
        let turns = 0;
        const bulkTurns = Array.from({ length: 2_000 }, async () => {
            await nextBulkTurn();
            turns += 1;
        });
        open();
        await Promise.all([first, ...small]);
        expect(turns).toBeLessThan(bulkTurns.length);
        await Promise.all([bulk, ...bulkTurns]);
        expect(calls).toHaveLength(2);
    });

    test("take tenants in turn, and never mix dimensions", async () => {
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
        expect(short?.context.dimensions).toBe(4);
    });

    describe("after slow calls of one input", () => {
        /** Its mean call takes 20 ms: 200 inputs would take 4 s. */
        async function slowUpstream() {
            let pause = 200;
            const sent: string[] = [];
            const embed = batchedUpstream(
                async (inputs) => {
                    sent.push(...textsOf(inputs));
                    await new Promise((resolve) => setTimeout(resolve, pause));
                    return textsOf(inputs).map((text) =>
                        createEmbedding(trueVector(text), trueTokens(text), false),
                    );
                },
                { limit: 1, sizes: sizesUpTo(1) },
            );
            const ask = (count: number, name: string, milliseconds: number) =>
                embedAll(embed, inputsOf(Array.from({ length: count }, (_, n) => `${name} ${n}`)), {
                    ...createContext(),
                    deadline: performance.now() + milliseconds,
                });
            await ask(1, "slow", 10_000);
            pause = 0;
            return { ask, sent };
        }

        test("a request that waits for no other is sent, however many inputs it has", async () => {
            const { ask } = await slowUpstream();
            expect(await ask(200, "many", 3_000)).toHaveLength(200);
        });

        test("one that would not be reached in time is rejected immediately", async () => {
            const { ask, sent } = await slowUpstream();
            const before = ask(200, "many", 3_000);
            await expect(ask(1, "late", 3_000)).rejects.toMatchObject({
                status: 503,
                code: "overloaded",
                message: expect.stringContaining("The upstream is slow: ") as unknown,
            });
            await before;
            expect(sent).not.toContain("late 0");
        });
    });

    test("are rejected immediately if the queue is full", async () => {
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

    test.each([
        { kind: "inputs", requests: 40, inputs: 2_000, bytes: 1 },
        { kind: "bytes", requests: 10, inputs: 8, bytes: 1024 * 1024 },
    ])("of one tenant, however many $kind, leave capacity for others", async (bulk) => {
        const { requests, inputs, bytes } = bulk;
        const { ask, calls, close } = upstream(1);
        const open = close();
        const first = ask(["first"]);
        await eventually("the first has gone", () => calls.length === 1);
        const many = Array.from({ length: inputs }, (_, n) => String(n).padEnd(bytes));
        const responses = Array.from({ length: requests }, () => ask(many, { tenant: "bulk" }));
        const rejected = responses.map((one) => one.catch((error: unknown) => error));
        const visitors = ["search", "chat"].map((tenant) => ask([`of ${tenant}`], { tenant }));
        open();
        await Promise.all([first, ...visitors]);
        const overloaded = (await Promise.all(rejected)).filter(
            (one) => one instanceof UpstreamError,
        );
        expect(overloaded.length).toBeGreaterThan(0);
        expect(overloaded.length).toBeLessThan(requests);
        // Tenants are served in turn, so theirs are not behind the bulk job's.
        const at = calls.findIndex(({ texts }) => texts.includes("of chat"));
        expect(at).toBeLessThanOrEqual(3);
    });

    test("are not sent after their deadline", async () => {
        const { ask, calls, close } = upstream(1);
        const open = close();
        const first = ask(["first"]);
        await eventually("the first has gone", () => calls.length === 1);
        const late = ask(["late"], { deadline: performance.now() + 5 });
        const rejected = expect(late).rejects.toMatchObject({ status: 504 });
        await new Promise((resolve) => setTimeout(resolve, 20));
        open();
        await Promise.all([first, rejected]);
        expect(calls).toHaveLength(1);
    });
});

describe("a call that fails", () => {
    const ok = (inputs: readonly Input[]): readonly Embedding[] =>
        textsOf(inputs).map((text) => createEmbedding(trueVector(text), trueTokens(text), false));
    const numbered = (count: number, name = "good") =>
        inputsOf(Array.from({ length: count }, (_, n) => `${name} ${n}`));

    test("for one input of many affects no others, within the concurrency limit", async () => {
        const limit = 4;
        let [calls, open, most] = [0, 0, 0];
        const upstream = batchedUpstream(
            async (inputs) => {
                calls += 1;
                open += 1;
                most = Math.max(most, open);
                await new Promise((resolve) => setTimeout(resolve, 2));
                open -= 1;
                if (textsOf(inputs).some((text) => text.includes(BAD))) {
                    throw new UpstreamError(400, "refused", "refused");
                }
                return ok(inputs);
            },
            { limit },
        );
        const clients = Array.from({ length: 200 }, (_, n) =>
            embedAll(upstream, inputsOf([`good ${n}`]), createContext()),
        );
        await expect(embedAll(upstream, inputsOf([BAD]), createContext())).rejects.toThrow(
            "refused",
        );
        await Promise.all(clients);
        expect(most).toBeLessThanOrEqual(limit);
        // Bisection finds one of 201 in 16 calls.
        expect(calls).toBeLessThanOrEqual(20);
    });

    test.each([
        ["500", new UpstreamError(503, "upstream_error", "The upstream responded with 500")],
        ["a vector that is none", new UpstreamError(503, "bad_upstream_response", "NaN")],
        ["400", new UpstreamError(400, "refused", "refused")],
    ])("with %s for one input does not affect the others of its request", async (_, error) => {
        const upstream = batchedUpstream((inputs) =>
            textsOf(inputs).includes(BAD) ? Promise.reject(error) : Promise.resolve(ok(inputs)),
        );
        const inputs = [...numbered(20), ...inputsOf([BAD]), ...numbered(20, "more")];
        const outcomes = await outcomesOf(upstream, inputs, createContext());
        expect(outcomes.flatMap((one, at) => (one instanceof UpstreamError ? [at] : []))).toEqual([
            20,
        ]);
        expect(outcomes[20]).toMatchObject({ code: error.code, isUncertain: false });
    });

    test("because of a broken upstream is repeated in parts within the retry budget only", async () => {
        let [calls, budget] = [0, 10];
        const upstream = batchedUpstream(
            () => {
                calls += 1;
                return Promise.reject(new UpstreamError(503, "upstream_error", "broken"));
            },
            { mayRepeat: () => (budget -= 1) >= 0 },
        );
        const outcomes = await outcomesOf(upstream, numbered(2_048), createContext());
        expect(outcomes.every((one) => one instanceof UpstreamError)).toBe(true);
        // Eight calls for all inputs, and two parts of each repeated call.
        expect(calls).toBe(8 + 2 * 10);
    });

    test("because of one tenant's input is repeated for the others without a retry budget", async () => {
        const upstream = batchedUpstream(
            (inputs) =>
                textsOf(inputs).includes(BAD)
                    ? Promise.reject(new UpstreamError(503, "upstream_error", "NaN"))
                    : Promise.resolve(ok(inputs)),
            { mayRepeat: () => false },
        );
        const ask = (text: string, tenant: string) =>
            outcomesOf(upstream, inputsOf([text]), { ...createContext(), tenant });
        const outcomes = await Promise.all([ask(BAD, "a"), ask("good", "b"), ask("own", "a")]);
        expect(outcomes.map(([one]) => one instanceof UpstreamError)).toEqual([true, false, true]);
    });

    test("because all its inputs are invalid costs few calls, and blames none that was not tried", async () => {
        let calls = 0;
        const upstream = batchedUpstream(
            () => {
                calls += 1;
                return Promise.reject(new UpstreamError(400, "refused", "refused"));
            },
            { limit: 8 },
        );
        const outcomes = await outcomesOf(upstream, numbered(2_048, BAD), createContext());
        expect(outcomes.every((one) => one instanceof UpstreamError)).toBe(true);
        expect(calls).toBeLessThanOrEqual(64);
        const alone = outcomes.filter((one) => one instanceof UpstreamError && !one.isUncertain);
        expect(alone.length).toBeLessThanOrEqual(calls);
    });

    test.each([
        ["10, and says so", 10, () => new CallTooLargeError("at most 10", "inputs", 10)],
        ["few, and says so", 100, () => new CallTooLargeError("too many", "inputs")],
        ["24, in no known words", 24, () => new UpstreamError(400, "x", "no")],
    ])(
        "because the upstream takes %s is split, and so are the next ones",
        async (_, most, error) => {
            const sizes: number[] = [];
            const upstream = batchedUpstream(
                (inputs) => {
                    sizes.push(inputs.length);
                    return inputs.length > most
                        ? Promise.reject(error())
                        : Promise.resolve(ok(inputs));
                },
                { limit: 8 },
            );
            const vectorsOf = async (name: string) =>
                (await embedAll(upstream, numbered(2_048, name), createContext())).map(
                    ({ vector }) => vector,
                );
            const right = (name: string) =>
                textsOf(numbered(2_048, name)).map((text) => trueVector(text));
            expect(await vectorsOf("first")).toEqual(right("first"));
            sizes.splice(0);
            expect(await vectorsOf("second")).toEqual(right("second"));
            expect(Math.max(...sizes)).toBeLessThanOrEqual(most);
        },
    );

    test("for one text of many, with a message about sizes, teaches no limit", async () => {
        const sizes: number[] = [];
        const upstream = batchedUpstream((inputs) => {
            sizes.push(inputs.length);
            const isBad = textsOf(inputs).includes(BAD);
            if (!isBad) return Promise.resolve(ok(inputs));
            return Promise.reject(
                inputs.length > 1
                    ? new CallTooLargeError("batch limit exceeded", "inputs")
                    : new UpstreamError(400, "refused", "refused"),
            );
        });
        const outcomes = await outcomesOf(
            upstream,
            [...numbered(100), ...inputsOf([BAD])],
            createContext(),
        );
        expect(outcomes.filter((one) => one instanceof UpstreamError)).toHaveLength(1);
        sizes.splice(0);
        await embedAll(upstream, numbered(256, "next"), createContext());
        // Half of the rejected call succeeded each time, and never both.
        expect(Math.max(...sizes)).toBe(256);
    });

    test("because of a timeout is split, and the next ones are smaller", async () => {
        const sizes: number[] = [];
        const upstream = batchedUpstream(
            async (inputs) => {
                sizes.push(inputs.length);
                if (inputs.length <= 64) return ok(inputs);
                await new Promise((resolve) => setTimeout(resolve, 20));
                throw new UpstreamError(504, "upstream_timeout", "late");
            },
            { sizes: createCallSizes({ items: 256, bytes: 1e9, fastMilliseconds: 10, log }) },
        );
        await embedAll(upstream, numbered(256), createContext());
        expect(sizes).toEqual([256, 128, 128, 64, 64, 64, 64]);
        sizes.splice(0);
        await embedAll(upstream, numbered(64, "next"), createContext());
        expect(Math.max(...sizes)).toBeLessThanOrEqual(64);
    });

    test("keeps the results of other calls of its request", async () => {
        const upstream = batchedUpstream((inputs) =>
            textsOf(inputs).includes("good 300")
                ? new Promise(() => undefined)
                : Promise.resolve(ok(inputs)),
        );
        const outcomes = await outcomesOf(upstream, numbered(1_024), createContext(1_500));
        const late = outcomes.flatMap((one, at) => (one instanceof UpstreamError ? [at] : []));
        expect(late).toEqual(Array.from({ length: 256 }, (_, n) => 256 + n));
        expect(outcomes[300]).toMatchObject({ status: 504 });
    });
});

describe("a request", () => {
    test("waits until its own deadline, whatever else is in its call", async () => {
        const { ask, close } = upstream(1);
        close();
        const now = performance.now();
        const patient = ask(["patient"], { deadline: now + 600_000 });
        const hasty = ask(["hasty"], { deadline: now + 30 });
        await expect(hasty).rejects.toMatchObject({ status: 504 });
        patient.catch(() => undefined);
    });

    test("whose deadline passes while it is reported gets the whole response, which is billed", async () => {
        const deadline = performance.now() + 1_000;
        const texts = Array.from({ length: 256 }, (_, n) => `text ${n}`);
        const embed = batchedUpstream((inputs) =>
            Promise.resolve(
                textsOf(inputs).map((text) => createEmbedding(trueVector(text), 1, false)),
            ),
        );
        let turns = 0;
        const outcomes: unknown[] = [];
        await embed.embed(inputsOf(texts), { ...createContext(), deadline }, (places, results) => {
            turns += 1;
            for (const [at, place] of places.entries()) outcomes[place] = results[at];
            // The first part takes so long that the deadline passes before the next one.
            while (performance.now() < deadline + 5);
        });
        // Not all parts had their own turn.
        expect(turns).toBeLessThan(8);
        expect(outcomes).toEqual(
            texts.map((text) => expect.objectContaining({ vector: trueVector(text) })),
        );
    });

    test("with texts and token IDs is sent as two calls", async () => {
        const kinds: string[][] = [];
        const upstream = batchedUpstream((inputs) => {
            kinds.push([...new Set(inputs.map(({ kind }) => kind))]);
            return Promise.resolve(
                inputs.map((input) =>
                    createEmbedding(
                        trueVector(input.kind === "text" ? input.text : "ids"),
                        1,
                        false,
                    ),
                ),
            );
        });
        const inputs: readonly Input[] = [
            { kind: "text", text: "a" },
            { kind: "tokens", ids: [1, 2] },
            { kind: "text", text: "b" },
        ];
        const vectors = (await embedAll(upstream, inputs, createContext())).map(
            ({ vector }) => vector,
        );
        expect(vectors).toEqual(["a", "ids", "b"].map((text) => trueVector(text)));
        expect(kinds.toSorted()).toEqual([["text"], ["tokens"]]);
    });
});

describe("adaptive concurrency", () => {
    test("grows while it is used successfully, and falls at most once per second", () => {
        let now = 0;
        const concurrency = createAdaptiveConcurrency(() => now);
        const first = concurrency.limit();
        for (let n = 0; n < 100; n += 1) concurrency.onSuccess(1);
        expect(concurrency.limit()).toBe(first);
        for (let n = 0; n < 100; n += 1) concurrency.onSuccess(concurrency.limit());
        const grown = concurrency.limit();
        expect(grown).toBeGreaterThan(first);
        concurrency.onOverload();
        concurrency.onOverload();
        expect(concurrency.limit()).toBe(Math.floor(grown * 0.7));
        for (let n = 0; n < 50; n += 1) {
            now += 1_000;
            concurrency.onOverload();
        }
        expect(concurrency.limit()).toBe(1);
    });
});
