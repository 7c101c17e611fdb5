import { ANONYMOUS, type Scope } from "../../src/requestContext.ts";

/** The context of a request that has just started. */
export function scopeFor(milliseconds = 25_000): Scope {
    return {
        pool: ANONYMOUS,
        tenant: ANONYMOUS,
        purpose: "request",
        dimensions: undefined,
        deadline: performance.now() + milliseconds,
    };
}
