import { describe, expect, test } from "@jest/globals";

import { parseOpenai } from "../../src/http/protocol/embeddingRequest.ts";
import { createTokenLimitsCheck } from "../../src/http/handler/tokenLimits.ts";
import { createTokenCounter } from "../../src/upstream/openai/tokenCounter.ts";
import {
    createTokenCounterThread,
    MAX_SHARE_CHARACTERS,
} from "../../src/upstream/openai/tokenCounterThread.ts";

const MODEL = "text-embedding-3-small";

describe("The count of tokens", () => {
    test.each(["<|endoftext|>", "<|fim_prefix|>", "a <|endofprompt|> b", "<|im_start|>"])(
        "treats %j as text",
        async (text) => {
            const count = createTokenCounter(MODEL);
            expect(await count?.(text, Infinity)).toBeGreaterThan(1);
            expect(await count?.(`${"word ".repeat(500)}${text}`, Infinity)).toBeGreaterThan(500);
        },
    );

    test("of many texts at once yields to the event loop after each 2 ms", async () => {
        let turn = 0;
        const turns = new Map<number, number>();
        const count = createTokenCounter(MODEL, () =>
            Promise.resolve((slice) => {
                const end = performance.now() + 1;
                while (performance.now() < end);
                turns.set(turn, (turns.get(turn) ?? 0) + 1);
                return slice.length;
            }),
        );
        let running = true;
        const next = (): void => {
            turn += 1;
            if (running) setImmediate(next);
        };
        next();
        const texts = Array.from({ length: 40 }, (_, at) => "a".repeat(100 + at));
        const counts = await Promise.all(texts.map(async (text) => count?.(text, Infinity)));
        running = false;
        expect(counts).toEqual(texts.map((text) => text.length));
        expect(Math.max(...turns.values())).toBeLessThanOrEqual(3);
    });

    test("gives a short text its turn beside a long one", async () => {
        const count = createTokenCounter(MODEL, () => Promise.resolve((slice) => slice.length));
        const ended: string[] = [];
        const note = (name: string) => () => void ended.push(name);
        await Promise.all([
            count?.("a ".repeat(1_000_000), Infinity).then(note("long")),
            count?.("short", Infinity).then(note("short")),
        ]);
        expect(ended).toEqual(["short", "long"]);
    });

    test("that fails rejects nothing", async () => {
        const failing = createTokenCounter(MODEL, () =>
            Promise.resolve(() => {
                throw new Error("out of something");
            }),
        );
        const body = { model: MODEL, input: "word ".repeat(9_000) };
        const request = parseOpenai(Buffer.from(JSON.stringify(body)), {
            model: MODEL,
            acceptsTokens: true,
            dimensions: () => 1536,
            dimensionsError: () => undefined,
            supportsShortening: true,
        });
        await expect(createTokenLimitsCheck(failing)(request)).resolves.toBeUndefined();
        const absent = createTokenCounter(MODEL, () => Promise.reject(new Error("no such module")));
        await expect(createTokenLimitsCheck(absent)(request)).resolves.toBeUndefined();
    });
});

describe("the token count that distributes a bill", () => {
    test("takes a bounded number of texts, and more when they are counted", async () => {
        const thread = createTokenCounterThread(MODEL);
        if (!thread) throw new Error("The model is known");
        const text = "word ".repeat(1_600);
        const most = Math.floor(MAX_SHARE_CHARACTERS / text.length);
        for (let round = 0; round < 2; round += 1) {
            const counts = Array.from({ length: 3 * most }, () => thread.countForShares([text]));
            const settled = await Promise.allSettled(counts);
            expect(settled.filter(({ status }) => status === "fulfilled")).toHaveLength(most);
        }
        await thread.close();
    });
});
