import { describe, expect, test } from "@jest/globals";
import { CACHE_MODES, HEADERS } from "@property-search/contract";
import fc from "fast-check";

import { propertyRuns } from "../../../tests/support/property.ts";
import { HttpError } from "../../src/http/protocol/error.ts";
import { createChooseCacheMode } from "../../src/reuse/cacheMode.ts";

const modes = fc.constantFrom(...CACHE_MODES);

describe("the cache mode of a request", () => {
    test("is that of its header, else of its tenant, else of the service", () => {
        fc.assert(
            fc.property(
                modes,
                fc.option(modes, { nil: undefined }),
                fc.option(modes, { nil: undefined }),
                (fallback, tenant, header) => {
                    const choose = createChooseCacheMode(fallback);
                    const headers = header === undefined ? [] : ["X-Cache-Mode", header];
                    expect(choose(headers, { cacheMode: tenant })).toBe(
                        header ?? tenant ?? fallback,
                    );
                },
            ),
            propertyRuns(200),
        );
    });

    test.each(["semantics", "", "semantic,exact", "on", "x".repeat(10_000)])(
        "with the header %p is a 400 that names the allowed values",
        (value) => {
            const choose = createChooseCacheMode("exact");
            let error: unknown;
            try {
                choose([HEADERS.cacheMode, value], {});
            } catch (thrown) {
                error = thrown;
            }
            expect(error).toBeInstanceOf(HttpError);
            const { status, message, param } = error as HttpError;
            expect(status).toBe(400);
            expect(param).toBe(HEADERS.cacheMode);
            expect(message).toMatch(/^x-cache-mode is ".*"; allowed: exact, semantic$/);
            expect(message.length).toBeLessThan(200);
        },
    );

    test("is that of each text while an experiment varies it, unless header or tenant decide", () => {
        const choose = createChooseCacheMode("by text");
        expect(choose([], {})).toBe("by text");
        expect(choose([], { cacheMode: "exact" })).toBe("exact");
        expect(choose([HEADERS.cacheMode, "semantic"], { cacheMode: "exact" })).toBe("semantic");
    });

    test("with two lines of the header is a 400, even if they are equal", () => {
        const choose = createChooseCacheMode("exact");
        for (const second of CACHE_MODES) {
            const headers = ["x-cache-mode", "exact", "accept", "*/*", "X-Cache-Mode", second];
            expect(() => choose(headers, {})).toThrow("x-cache-mode was sent twice; allowed: once");
        }
    });

    test("may be written in capitals", () => {
        const choose = createChooseCacheMode("exact");
        expect(choose(["x-cache-mode", "SEMANTIC"], {})).toBe("semantic");
    });
});
