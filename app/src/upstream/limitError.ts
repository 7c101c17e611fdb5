import { UpstreamError } from "./upstream.ts";

/** The exhausted limit, as OpenAI names it in the type of the error. */
export type LimitType = "requests" | "tokens" | "insufficient_quota";

/**
 * A tenant's limit rejected its request. The error must not be shared with other requests for the same key.
 */
export class LimitError extends UpstreamError {
    readonly type: LimitType;

    constructor(type: LimitType, message: string, retryAfterSeconds?: number) {
        const code = type === "insufficient_quota" ? type : "rate_limit_exceeded";
        super(429, code, message, retryAfterSeconds && Math.max(1, Math.ceil(retryAfterSeconds)));
        this.name = "LimitError";
        this.type = type;
    }

    /** The error concerns the whole request. */
    override withItem(): this {
        return this;
    }
}
