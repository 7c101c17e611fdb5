import { ANONYMOUS, type Scope } from "../../src/scope.ts";

/** The scope of a request that has just begun. */
export function scopeFor(milliseconds = 25_000): Scope {
    return {
        pool: ANONYMOUS,
        tenant: ANONYMOUS,
        purpose: "request",
        dimensions: undefined,
        deadline: performance.now() + milliseconds,
    };
}
