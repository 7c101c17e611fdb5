import { afterEach, describe, expect, test } from "@jest/globals";

import { parseResponse } from "../../src/upstream/openai/response.ts";
import {
    createResponseParser,
    type ResponseParser,
} from "../../src/upstream/openai/responseParser.ts";
import { littleEndianBytes } from "../../src/vector/entry.ts";
import { trueVector } from "../support/vectors.ts";

const DIMENSIONS = 1536;

let opened: ResponseParser | undefined;

afterEach(() => opened?.close());

function open(...rest: readonly [maxHeapMebibytes?: number]): ResponseParser {
    opened = createResponseParser(...rest);
    return opened;
}

function answerOf(count: number, form: "base64" | "float"): Buffer {
    const data = Array.from({ length: count }, (_, index) => {
        const vector = trueVector(`text ${index}`, DIMENSIONS);
        const embedding =
            form === "float" ? [...vector] : littleEndianBytes(vector).toString("base64");
        return { index, embedding };
    });
    return Buffer.from(JSON.stringify({ data, usage: { total_tokens: count } }));
}

describe.each([1, 100])("a response with %i vectors", (count) => {
    test.each(["base64", "float"] as const)(
        "as %s is parsed as on the event loop",
        async (form) => {
            const expected = parseResponse(answerOf(count, form), count);
            const { vectors, ...rest } = await open().parse(answerOf(count, form), count);
            expect({ vectors, ...rest }).toEqual(expected);
            // A cached vector must not retain the others.
            expect(vectors.every(({ buffer }) => buffer.byteLength === 4 * DIMENSIONS)).toBe(true);
        },
    );

    test("that is invalid is rejected with the same message", async () => {
        const reader = open();
        await expect(reader.parse(answerOf(count, "float"), count + 1)).rejects.toMatchObject({
            code: "bad_upstream_response",
            message: `The upstream's response is invalid: it has ${count} vectors for ${count + 1} inputs`,
        });
        const cut = answerOf(count, "base64").subarray(0, -1);
        await expect(reader.parse(cut, count)).rejects.toThrow("it is not JSON");
    });
});

test("a response that takes too much memory is requested in parts, and the next one is parsed", async () => {
    const reader = open(16);
    const large = reader.parse(answerOf(1_500, "float"), 1_500);
    await expect(large).rejects.toMatchObject({ code: "batch_too_large", unit: "inputs" });
    expect((await reader.parse(answerOf(20, "base64"), 20)).vectors).toHaveLength(20);
});

test("pending responses are settled on close, and start no further thread", async () => {
    const reader = open();
    const waiting = Array.from({ length: 3 }, () => reader.parse(answerOf(20, "base64"), 20));
    const settled = Promise.allSettled(waiting);
    await reader.close();
    expect((await settled).map(({ status }) => status)).toContain("rejected");
    await expect(reader.parse(answerOf(20, "base64"), 20)).rejects.toThrow("closing");
});
