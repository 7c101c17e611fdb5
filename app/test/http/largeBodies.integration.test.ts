import { afterEach, describe, expect, test } from "@jest/globals";
import { FOLDINGS } from "@property-search/contract/settings";
import fc from "fast-check";

import { MAX_BODY_BYTES, type LargeBody } from "../../src/http/protocol/requestBody.ts";
import { HttpError } from "../../src/http/protocol/error.ts";
import { createLargeBodyParser, type LargeBodyParser } from "../../src/http/handler/largeBodies.ts";
import {
    parseEmbed,
    parseOpenai,
    type ModelLimits,
} from "../../src/http/protocol/embeddingRequest.ts";
import { createKeyOf } from "../../src/key/key.ts";
import { createNormaliser } from "../../src/key/normalise.ts";
import { propertyRuns } from "../../../tests/support/property.ts";

const LIMITS: ModelLimits = {
    model: "m",
    acceptsTokens: true,
    dimensions: () => 8,
    dimensionsError: (dimensions) => (dimensions > 8 ? "this model has 8" : undefined),
    supportsShortening: false,
};
const keyOf = createKeyOf({
    tenant: "search",
    epoch: "0.1",
    provider: "openai",
    model: "m",
    revision: "1",
    inputType: "none",
});

let opened: LargeBodyParser | undefined;

afterEach(() => opened?.close());

function open(...rest: readonly [maxHeapMebibytes?: number]): LargeBodyParser {
    opened = createLargeBodyParser(LIMITS, FOLDINGS, ...rest);
    return opened;
}

/** A body in pieces of a few bytes, instead of the larger ones of the event loop. */
function largeBody(text: string): LargeBody {
    const bytes = Buffer.from(text);
    const segments = [];
    for (let from = 0; from < bytes.length; from += 7)
        segments.push(bytes.subarray(from, from + 7));
    return { segments, length: bytes.length };
}

/** The error that a client would see. */
function refusalOf(error: unknown): object {
    if (!(error instanceof HttpError)) throw error;
    const { status, message, type, param, code } = error;
    return { status, message, type, param, code };
}

const input = fc.oneof(
    fc.string({ unit: "grapheme" }),
    fc.array(fc.string({ unit: "binary" }), { maxLength: 5 }),
    fc.array(fc.nat({ max: 100 }), { maxLength: 5 }),
    fc.array(fc.array(fc.nat({ max: 100 }), { maxLength: 3 }), { maxLength: 3 }),
    fc.constantFrom(null, 7, {}),
);
const body = fc
    .record(
        {
            model: fc.constantFrom("m", "m", "m", "other"),
            input,
            text: input,
            texts: input,
            dimensions: fc.constantFrom(null, 4, 8, 16, 0),
            encoding_format: fc.constantFrom("float", "base64", "hex"),
        },
        { requiredKeys: [] },
    )
    .map((fields) => JSON.stringify(fields));

describe("A body that is parsed in a thread", () => {
    test("yields the same request, keys or error as on the event loop", async () => {
        const large = open();
        const normalise = createNormaliser(FOLDINGS);
        await fc.assert(
            fc.asyncProperty(body, fc.constantFrom("embed", "openai"), async (text, format) => {
                const inLoop = (): object => {
                    try {
                        const bytes = Buffer.from(text);
                        const request =
                            format === "embed"
                                ? parseEmbed(bytes, normalise)
                                : parseOpenai(bytes, LIMITS, normalise);
                        const items = request.inputs.map((one) => ({
                            key: keyOf(one, request.dimensions),
                            input: one,
                        }));
                        return { request, items };
                    } catch (error) {
                        return refusalOf(error);
                    }
                };
                const read = large.parserFor(format)(largeBody(text), keyOf).catch(refusalOf);
                expect(await read).toEqual(inLoop());
            }),
            propertyRuns(2_000),
        );
    });

    test.each(["a ", "a\t", "é ", "房 "])(
        "of the largest size, which repeats %j, fits into the thread's memory",
        async (unit) => {
            const text = unit.repeat(
                (MAX_BODY_BYTES - 64) / Buffer.byteLength(JSON.stringify(unit).slice(1, -1)),
            );
            const json = Buffer.from(JSON.stringify({ text }));
            const read = open().parserFor("embed");
            const { items } = await read({ segments: [json], length: json.length }, keyOf);
            expect(items).toHaveLength(1);
        },
    );

    test("that exceeds the thread's memory fails alone, and the next gets a new thread", async () => {
        const read = open(12).parserFor("embed");
        const json = Buffer.from(JSON.stringify({ text: "é\u3000".repeat(1_600_000) }));
        const heavy = { segments: [json], length: json.length };
        const [first, second] = await Promise.allSettled([
            read(heavy, keyOf),
            read(largeBody('{"text":"a"}'), keyOf),
        ]);
        expect(first).toMatchObject({ status: "rejected" });
        expect(String((first as PromiseRejectedResult).reason)).toMatch(/ERR_WORKER_OUT_OF_MEMORY/);
        expect({ second }).not.toHaveProperty("second.reason");
        expect(second).toMatchObject({
            status: "fulfilled",
            value: { items: [{ input: { kind: "text", text: "a" } }] },
        });
    });
});

test("large bodies of one tenant do not delay those of another by more than one", async () => {
    const parse = open().parserFor("embed");
    const ended: string[] = [];
    const body = largeBody(JSON.stringify({ texts: Array<string>(100).fill("a text") }));
    const send = async (tenant: string): Promise<void> => {
        await parse(body, createKeyOf({ ...keyOf.space, tenant }));
        ended.push(tenant);
    };
    await Promise.all([...Array.from({ length: 6 }, () => send("bulk")), send("another")]);
    expect(ended.indexOf("another")).toBeLessThanOrEqual(2);
});
