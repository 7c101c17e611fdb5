import type { RejectionReason } from "@property-search/contract";

import { UpstreamError } from "../upstream/upstream.ts";

/** What a tenant has used up, as OpenAI names it in the error's type. */
export type LimitType = "requests" | "tokens" | "insufficient_quota";

/** Is called with each request that a tenant's limits refused. */
export type Refused = (tenant: string, reason: RejectionReason) => void;

/** A tenant's own limit refused its request: no answer to anybody else who wants the same. */
export class LimitError extends UpstreamError {
    readonly type: LimitType;

    constructor(type: LimitType, message: string, retryAfterSeconds?: number) {
        const code = type === "insufficient_quota" ? type : "rate_limit_exceeded";
        super(429, code, message, retryAfterSeconds && Math.max(1, Math.ceil(retryAfterSeconds)));
        this.name = "LimitError";
        this.type = type;
    }

    /** It is about the whole request. */
    override at(): this {
        return this;
    }
}

/** Tokens a minute are counted by the clock's minutes. */
export function secondsToNextMinute(): number {
    return 60 - new Date().getUTCSeconds();
}
