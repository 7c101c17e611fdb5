import { ANONYMOUS, type RequestContext } from "../../src/requestContext.ts";

/** The context of a request that has just started. */
export function createContext(milliseconds = 25_000): RequestContext {
    return {
        pool: ANONYMOUS,
        tenant: ANONYMOUS,
        purpose: "request",
        dimensions: undefined,
        deadline: performance.now() + milliseconds,
    };
}
