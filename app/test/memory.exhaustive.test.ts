import { describe, expect, test } from "@jest/globals";
import fc from "fast-check";
import { hash } from "node:crypto";
import { pino } from "pino";

import { createNegativeCache } from "../src/cache/negativeCache.ts";
import { createLocalCache } from "../src/cache/localCache.ts";
import { createResponseFormats } from "../src/http/handler/responseBody.ts";
import { MAX_BODY_BYTES, readBody, type LargeBody } from "../src/http/protocol/requestBody.ts";
import { createByteBudget, type ByteReservation } from "../src/memory/byteBudget.ts";
import type { HttpError } from "../src/http/protocol/error.ts";
import type { BodySink, HttpRequest } from "../src/http/protocol/exchange.ts";
import { createParseAndKey } from "../src/http/handler/parseAndKey.ts";
import { createBreaker } from "../src/upstream/openai/breaker.ts";
import { parseOpenai } from "../src/http/protocol/embeddingRequest.ts";
import { createKeyOf } from "../src/key/key.ts";
import { computeTotals } from "../src/cache/responseTotals.ts";
import { createTenantDirectory } from "../src/tenants/tenantDirectory.ts";
import { createVectorLength } from "../src/upstream/openai/vectorLength.ts";
import { UpstreamError } from "../src/upstream/upstream.ts";
import { createEmbedding, shorten } from "../src/vector/embedding.ts";
import { usedBytes } from "./support/heap.ts";
import { KEY_SPACE } from "./support/keySpace.ts";
import { propertyRuns } from "../../tests/support/property.ts";

const MEBIBYTE = 1024 * 1024;
const LIMITS = {
    model: "m",
    acceptsTokens: true,
    dimensions: () => 1536,
    dimensionsError: () => undefined,
    supportsShortening: false,
};

describe("Caches have a bound in bytes:", () => {
    test("texts that failed during a long outage of the upstream", async () => {
        const outage = createBreaker({ failures: 5, halfOpenAfterMilliseconds: 0 });
        const before = await usedBytes();
        for (let at = 0; at < 100; at += 1) {
            expect(outage.tryAcquire()).toBe(true);
            // From 1 MiB on, strings are outside of the measured heap.
            outage.onFailure(Buffer.alloc(MEBIBYTE / 2, `${at} `).toString("latin1"));
        }
        expect((await usedBytes()) - before).toBeLessThan(6 * MEBIBYTE);
        expect(outage.state()).not.toBe("closed");
    });

    test("texts with a vector of another length than the model's", async () => {
        const length = createVectorLength({
            known: 8,
            onChange: () => undefined,
            log: pino({ level: "silent" }),
        });
        const before = await usedBytes();
        for (let at = 0; at < 100; at += 1) {
            const text = Buffer.alloc(MEBIBYTE / 2, `${at} `).toString("latin1");
            expect(length.findError(4, text)).toContain("4 dimensions instead of 8");
        }
        expect((await usedBytes()) - before).toBeLessThan(6 * MEBIBYTE);
        expect(length.current()).toBe(8);
    });

    test("headers of a valid key, padded in every way", async () => {
        const sha256 = hash("sha256", "key", "hex");
        const keys = [{ sha256, expires: undefined }];
        const tenant = { id: "a", pool: "a", limits: undefined, keys };
        const directory = createTenantDirectory([tenant]);
        const before = await usedBytes();
        for (let at = 0; at < 4_000; at += 1) {
            // A field is a part of its head.
            const head = `authorization: Bearer${" ".repeat(100 + (at % 2) * at)}key${"\r\n".repeat(4_000)}`;
            expect(directory.findByHeader(head.slice(15, head.indexOf("\r")))?.id).toBe("a");
        }
        expect((await usedBytes()) - before).toBeLessThan(6 * MEBIBYTE);
        expect(directory.ids).toEqual(["a"]);
    });

    test.each([
        ["short bodies", 60_000, (at: number) => ({ input: at.toString(36) })],
        ["bodies of 200 bytes", 50_000, (at: number) => ({ input: `${at}${"x".repeat(180)}` })],
        ["texts beyond Latin", 40_000, (at: number) => ({ input: `${at}${"房".repeat(60)}` })],
        [
            "lists",
            2_000,
            (at: number) => ({ input: Array.from({ length: 99 }, (_, n) => `${at}.${n}`) }),
        ],
        ["token ids", 15_000, (at: number) => ({ input: [[at, ...Array(500).keys()]] })],
    ])("memoised requests, %s", async (_, count, inputOf) => {
        const keyOf = createKeyOf(KEY_SPACE);
        const read = createParseAndKey((body) => parseOpenai(body, LIMITS));
        const before = await usedBytes();
        for (let at = 0; at < count; at += 1) {
            read(Buffer.from(JSON.stringify({ model: "m", ...inputOf(at) })), keyOf);
        }
        expect((await usedBytes()) - before).toBeLessThan(36 * MEBIBYTE);
        const last = read(Buffer.from('{"model":"m","input":"a"}'), keyOf);
        expect(last).toHaveProperty("items.length", 1);
    });

    test("shortened vectors, however many lengths are requested", async () => {
        const cache = createLocalCache({
            maxEntries: 10,
            maxBytes: 512 * MEBIBYTE,
            staleSeconds: 0,
            supportsShortening: true,
        });
        const vectorOf = (seed: number) =>
            Float32Array.from({ length: 3072 }, (_, at) => Math.sin(seed * 3072 + at + 1));
        const { openai } = createResponseFormats("m");
        const before = await usedBytes();
        for (let entry = 0; entry < 3; entry += 1) {
            const whole = createEmbedding(vectorOf(entry), 1, false);
            cache.set(String(entry), whole);
            for (let length = 3071; length > 0; length -= 2) {
                for (const encoding of ["float", "base64"] as const) {
                    const resolved = [
                        { embedding: shorten(whole, length), status: "HIT-L1" } as const,
                    ];
                    openai({ ...SINGLE, encoding }, resolved, computeTotals(resolved));
                }
            }
        }
        expect((await usedBytes()) - before).toBeLessThan(cache.size().bytes + MEBIBYTE);
        const whole = cache.get("0");
        if (whole === undefined) throw new Error("The entry is gone");
        // Repeated lookups are not computed again.
        expect(shorten(whole, 256)).toBe(shorten(whole, 256));
        const both = [shorten(whole, 1024), shorten(whole, 512)];
        expect([shorten(whole, 1024), shorten(whole, 512)]).toEqual(both);
        expect(shorten(whole, 1024)).toBe(both[0]);
    });

    test("key prefixes, however many dimensions are requested", async () => {
        const keyOf = createKeyOf(KEY_SPACE);
        const input = { kind: "text", text: "a" } as const;
        const first = keyOf(input, 1);
        const before = await usedBytes();
        for (let dimensions = 1; dimensions < 100_000; dimensions += 1) keyOf(input, dimensions);
        expect((await usedBytes()) - before).toBeLessThan(2 * MEBIBYTE);
        expect(keyOf(input, 1)).toBe(first);
    });

    test("rejections of an upstream that quotes the input", async () => {
        const known = createNegativeCache();
        const before = await usedBytes();
        for (let at = 0; at < 200; at += 1) {
            const quoted = `${at} ${"x".repeat(MEBIBYTE)}`;
            known.set(String(at), new UpstreamError(400, quoted, quoted));
        }
        expect((await usedBytes()) - before).toBeLessThan(2 * MEBIBYTE);
        expect(known.get("7")?.message).toMatch(/^7 x{900,}…$/);
    });
});

const SINGLE = {
    inputs: [],
    field: "input",
    isSingle: true,
    dimensions: undefined,
    shortenTo: undefined,
    user: undefined,
} as const;

/** A request whose body is sent by hand. */
function sentByHand(): { request: HttpRequest; sink: () => BodySink } {
    let bodySink: BodySink | undefined;
    const request: HttpRequest = {
        rawHeaders: [],
        bufferedBody: () => undefined,
        readInto: (sink) => {
            bodySink = sink;
        },
        resume: () => undefined,
    };
    return {
        request,
        sink: () => {
            if (!bodySink) throw new Error("Nobody reads the body");
            return bodySink;
        },
    };
}

function bytesOf(body: Buffer | LargeBody): Buffer {
    return Buffer.isBuffer(body) ? body : Buffer.concat(body.segments, body.length);
}

describe("A body", () => {
    test.each([1, 7, 4_096, 65_536])(
        "in chunks of %d bytes takes at most twice its size",
        async (size) => {
            const bytes = Buffer.alloc(size === 1 ? MEBIBYTE / 4 : 5 * MEBIBYTE, "abcdefg");
            const { request, sink } = sentByHand();
            let done: Buffer | LargeBody | undefined;
            const budget = createByteBudget(64 * MEBIBYTE);
            const before = await usedBytes();
            readBody(
                request,
                budget,
                {
                    onBody: (body) => {
                        done = body;
                    },
                    onError: () => undefined,
                    onAborted: () => undefined,
                },
                { tenant: "a" },
            );
            for (let at = 0; at < bytes.length; at += size)
                sink().onChunk(Buffer.from(bytes.subarray(at, at + size)));
            expect((await usedBytes()) - before).toBeLessThan(2 * bytes.length + MEBIBYTE);
            sink().onEnd();
            expect(done && bytesOf(done).equals(bytes)).toBe(true);
            expect(budget.reservedBytes()).toBeGreaterThanOrEqual(bytes.length);
            expect(budget.reservedBytes()).toBeLessThanOrEqual(2 * bytes.length);
        },
    );

    test("is rejected if all bodies together are too large, the oldest incomplete one first", () => {
        const budget = createByteBudget(3 * MAX_BODY_BYTES);
        const ends: string[] = [];
        const reservations: ByteReservation[] = [];
        const receive = (name: string) => {
            const { request, sink } = sentByHand();
            readBody(
                request,
                budget,
                {
                    onBody: (_, reservation) => {
                        reservations.push(reservation);
                        ends.push(`${name} done`);
                    },
                    onError: (error: HttpError) => ends.push(`${name} ${error.status}`),
                    onAborted: () => ends.push(`${name} gone`),
                },
                { tenant: name },
            );
            return sink();
        };
        // Already copied parts of a chunk are freed.
        const block = () => Buffer.alloc(MAX_BODY_BYTES);
        const [first, second, third] = ["first", "second", "third"].map((name) => {
            const sink = receive(name);
            sink.onChunk(block());
            return sink;
        });
        second?.onEnd();
        const fourth = receive("fourth");
        fourth.onChunk(block());
        expect(ends).toEqual(["second done", "first 503"]);
        // The rest is discarded, and takes no memory.
        first?.onChunk(block());
        first?.onEnd();
        third?.onEnd();
        fourth.onEnd();
        receive("fifth").onChunk(Buffer.alloc(1));
        expect(ends.slice(2)).toEqual(["third done", "fourth done", "fifth 503"]);
        for (const hold of reservations) hold.release();
        expect(budget.reservedBytes()).toBe(0);
        const sixth = receive("sixth");
        sixth.onChunk(block());
        sixth.onAborted();
        expect(budget.reservedBytes()).toBe(0);
        expect(ends.at(-1)).toBe("sixth gone");
    });

    test("of more than 8 MiB is rejected immediately, and its memory is released", () => {
        const budget = createByteBudget(64 * MEBIBYTE);
        const { request, sink } = sentByHand();
        const failures: number[] = [];
        readBody(
            request,
            budget,
            {
                onBody: () => undefined,
                onError: ({ status }) => failures.push(status),
                onAborted: () => undefined,
            },
            { tenant: "a" },
        );
        sink().onChunk(Buffer.alloc(MAX_BODY_BYTES));
        sink().onChunk(Buffer.alloc(1));
        sink().onEnd();
        expect(failures).toEqual([413]);
        expect(budget.reservedBytes()).toBe(0);
    });
});

describe("A byte budget", () => {
    test("is never exceeded, and pinned bytes are never evicted", () => {
        const step = fc.record({
            holder: fc.nat({ max: 5 }),
            act: fc.constantFrom("grow", "grow", "grow", "keep", "release", "open"),
            bytes: fc.integer({ min: 0, max: 60 }),
        });
        fc.assert(
            fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
                const budget = createByteBudget(100);
                const own = Array.from({ length: 6 }, () => open());
                function open() {
                    const holder = {
                        bytes: 0,
                        kept: false,
                        hold: undefined as unknown as ByteReservation,
                    };
                    holder.hold = budget.reserve(() => {
                        expect(holder.kept).toBe(false);
                        holder.bytes = 0;
                    });
                    return holder;
                }
                for (const { holder, act, bytes } of steps) {
                    const one = own[holder] ?? open();
                    if (act === "grow") {
                        if (one.hold.grow(bytes)) one.bytes += bytes;
                        else one.bytes = 0;
                    } else if (act === "keep") {
                        one.kept = true;
                        one.hold.pin();
                    } else {
                        one.hold.release();
                        one.bytes = 0;
                        if (act === "open") own[holder] = open();
                    }
                    const sum = own.reduce((all, { bytes: some }) => all + some, 0);
                    expect(budget.reservedBytes()).toBe(sum);
                    expect(sum).toBeLessThanOrEqual(100);
                }
            }),
            propertyRuns(),
        );
    });
});
