import { describe, expect, test } from "@jest/globals";
import { CACHE_MODES, HEADERS } from "@property-search/contract";
import fc from "fast-check";

import { propertyRuns } from "../../../tests/support/property.ts";
import { HttpError } from "../../src/http/protocol/error.ts";
import { createChooseCacheMode } from "../../src/reuse/cacheMode.ts";

const TENANT = { id: "acme", cacheMode: undefined };
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
                    expect(choose(headers, { id: "a", cacheMode: tenant }, "ann")).toEqual({
                        mode: header ?? tenant ?? fallback,
                        isNamed: (header ?? tenant) !== undefined,
                    });
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
                choose([HEADERS.cacheMode, value], TENANT, undefined);
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
        const exact = { id: "a", cacheMode: "exact" } as const;
        expect(choose([], TENANT, "ann").mode).toBe("by text");
        expect(choose([], exact, "ann").mode).toBe("exact");
        expect(choose([HEADERS.cacheMode, "semantic"], exact, "ann").mode).toBe("semantic");
    });

    test("is that of its user while an experiment varies it, unless header or tenant decide", () => {
        fc.assert(
            fc.property(
                modes,
                fc.option(modes, { nil: undefined }),
                fc.option(modes, { nil: undefined }),
                fc.option(fc.string(), { nil: undefined }),
                (fallback, tenant, header, user) => {
                    const assigned: (readonly string[])[] = [];
                    const choose = createChooseCacheMode(fallback, (...of) => {
                        assigned.push(of);
                        return of.join(" ").length % 2 === 0 ? "semantic" : "exact";
                    });
                    const named = header ?? tenant;
                    const headers = header === undefined ? [] : [HEADERS.cacheMode, header];
                    const { mode, isNamed } = choose(
                        headers,
                        { id: "acme", cacheMode: tenant },
                        user,
                    );
                    const isAssigned = named === undefined && user !== undefined;
                    const ofUser = `acme ${user ?? ""}`.length % 2 === 0 ? "semantic" : "exact";
                    expect(mode).toBe(named ?? (isAssigned ? ofUser : fallback));
                    expect(isNamed).toBe(named !== undefined);
                    expect(assigned).toEqual(isAssigned ? [["acme", user]] : []);
                },
            ),
            propertyRuns(200),
        );
    });

    test("with two lines of the header is a 400, even if they are equal", () => {
        const choose = createChooseCacheMode("exact");
        for (const second of CACHE_MODES) {
            const headers = ["x-cache-mode", "exact", "accept", "*/*", "X-Cache-Mode", second];
            expect(() => choose(headers, TENANT, undefined)).toThrow(
                "x-cache-mode was sent twice; allowed: once",
            );
        }
    });

    test("may be written in capitals", () => {
        const choose = createChooseCacheMode("exact");
        expect(choose(["x-cache-mode", "SEMANTIC"], TENANT, undefined).mode).toBe("semantic");
    });
});
