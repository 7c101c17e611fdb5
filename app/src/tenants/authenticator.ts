import type { Limits, RejectionReason, Tenant } from "@property-search/contract";

import { detach } from "../detach.ts";
import { HttpError } from "../http/protocol/error.ts";
import { getSingleHeader } from "../http/headers.ts";
import { ANONYMOUS } from "../requestContext.ts";
import { createTokenBucket, type TokenBucket, type Rate } from "./tokenBucket.ts";
import { extractKey, type TenantDirectory } from "./tenantDirectory.ts";
import { secondsToNextMinute, type OnRejected } from "./rejection.ts";
import { LimitError } from "../upstream/limitError.ts";
import type { Usage, TenantUsage } from "./usage.ts";

/** An authenticated client's request. */
export interface Admission {
    readonly tenant: Tenant;
    /** Rate-limit headers for the response, as OpenAI sends them. */
    readonly headers: readonly string[];
    /** Must be called when the request has ended. */
    readonly release: () => void;
}

export interface Authenticator {
    /** @throws HttpError 401 for an unknown key, 400 for a key that was sent twice; LimitError */
    readonly admit: (rawHeaders: readonly string[]) => Admission;
}

/** Default burst, in seconds of the rate. */
const BURST_SECONDS = 2;

interface State {
    readonly tokenBucket: TokenBucket;
    requestsElsewhere: number;
    syncs: number;
    openRequests: number;
}

/** Accepts every request, if the service is configured to. */
export function createOpenAuthenticator(tenant: Tenant): Authenticator {
    const admission = { tenant, headers: [], release: () => undefined };
    return { admit: () => admission };
}

export interface AuthenticatorDependencies {
    readonly currentDirectory: () => TenantDirectory;
    readonly usage: Usage;
    /** Tenant of requests without a key, if they are allowed. */
    readonly anonymous: Tenant | undefined;
    readonly onRejected?: OnRejected;
    /** In milliseconds. */
    readonly now?: () => number;
}

interface Rejection {
    readonly reason: RejectionReason;
    readonly error: LimitError;
}

/** Accepts requests with a valid key, within the tenant's limits. */
export function createAuthenticator(dependencies: AuthenticatorDependencies): Authenticator {
    const {
        currentDirectory,
        usage,
        anonymous,
        onRejected,
        now = () => performance.now(),
    } = dependencies;
    const states = new Map<string, State>();

    return {
        admit: (rawHeaders) => {
            const tenant = identify(rawHeaders);
            const { limits } = tenant;
            if (!limits) return { tenant, headers: [], release: () => undefined };
            const state = stateOf(tenant, limits);
            const rejection = findRejection(tenant, limits, state);
            if (rejection) {
                onRejected?.(tenant.id, rejection.reason);
                throw rejection.error;
            }
            state.openRequests += 1;
            let isOpen = true;
            return {
                tenant,
                headers: formatRateLimitHeaders(limits, state),
                release: () => {
                    if (isOpen) state.openRequests -= 1;
                    isOpen = false;
                },
            };
        },
    };

    function identify(rawHeaders: readonly string[]): Tenant {
        const credential =
            getSingleHeader(rawHeaders, "authorization") ?? getSingleHeader(rawHeaders, "api-key");
        if (credential === undefined) {
            if (anonymous) return anonymous;
            throw unauthorisedError(
                "You did not provide an API key: send Authorization: Bearer KEY",
            );
        }
        const tenant = currentDirectory().findByHeader(credential);
        if (tenant) return tenant;
        // OpenAI's clients require some key. An unknown key is rejected, because its sender expects to be a
        // tenant.
        if (anonymous && extractKey(credential) === ANONYMOUS) return anonymous;
        throw unauthorisedError(
            anonymous
                ? `Incorrect API key provided; without a key of your own send none, or "${ANONYMOUS}"`
                : "Incorrect API key provided",
        );
    }

    function stateOf({ id }: Tenant, limits: Limits): State {
        let state = states.get(id);
        if (!state) {
            const { burst } = rateOf(limits);
            state = {
                tokenBucket: createTokenBucket(burst, now),
                requestsElsewhere: 0,
                syncs: 0,
                openRequests: 0,
            };
            states.set(id, state);
        }
        return state;
    }

    /** Takes one request from the tenant's rate, unless a limit is exceeded. */
    function findRejection({ id }: Tenant, limits: Limits, state: State): Rejection | undefined {
        const { tokensPerMinute, tokensPerMonth, concurrentRequests } = limits;
        if (concurrentRequests !== undefined && state.openRequests >= concurrentRequests) {
            const error = rateLimitError(
                "requests",
                `${concurrentRequests} concurrent requests`,
                1,
            );
            return { reason: "concurrency", error };
        }
        const used = usage.get(id, limits);
        if (tokensPerMonth !== undefined && used.tokensThisMonth >= tokensPerMonth) {
            return { reason: "quota", error: quotaError(tokensPerMonth) };
        }
        if (tokensPerMinute !== undefined && used.tokensThisMinute >= tokensPerMinute) {
            const limit = `${tokensPerMinute} tokens per minute`;
            return {
                reason: "tokens",
                error: rateLimitError("tokens", limit, secondsToNextMinute()),
            };
        }
        if (limits.requestsPerSecond === undefined) return undefined;
        return takeRequest(id, rateOf(limits), state, used);
    }

    function takeRequest(
        id: string,
        rate: Rate,
        state: State,
        { requestsElsewhere, syncs }: TenantUsage,
    ): Rejection | undefined {
        const { tokenBucket } = state;
        if (syncs !== state.syncs) {
            tokenBucket.applyRemote(rate, requestsElsewhere - state.requestsElsewhere);
            Object.assign(state, { requestsElsewhere, syncs });
        }
        if (!tokenBucket.take(rate)) {
            const limit = `${rate.perSecond} requests per second`;
            return {
                reason: "requests",
                error: rateLimitError("requests", limit, tokenBucket.secondsUntilAvailable(rate)),
            };
        }
        usage.addRequest(id);
        if (tokenBucket.shouldSync(rate)) detach(usage.sync(id));
        return undefined;
    }
}

function rateOf({ requestsPerSecond = Infinity, burst }: Limits): Rate {
    return {
        perSecond: requestsPerSecond,
        burst: burst ?? Math.max(1, requestsPerSecond * BURST_SECONDS),
    };
}

function formatRateLimitHeaders(
    { requestsPerSecond }: Limits,
    { tokenBucket }: State,
): readonly string[] {
    if (requestsPerSecond === undefined) return [];
    return [
        "x-ratelimit-limit-requests",
        String(requestsPerSecond),
        "x-ratelimit-remaining-requests",
        String(Math.floor(tokenBucket.level())),
    ];
}

function unauthorisedError(message: string): HttpError {
    return new HttpError(401, message, { code: "invalid_api_key" });
}

function quotaError(tokensPerMonth: number): LimitError {
    return new LimitError(
        "insufficient_quota",
        `You exceeded your quota of ${tokensPerMonth} tokens per month`,
    );
}

function rateLimitError(type: "requests" | "tokens", limit: string, seconds: number): LimitError {
    return new LimitError(type, `Rate limit reached: ${limit}`, seconds);
}
