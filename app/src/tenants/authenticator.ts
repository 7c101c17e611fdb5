import type { Limits, RejectionReason, Tenant } from "@property-search/contract";

import { detach } from "../detach.ts";
import { HttpError } from "../http/protocol/error.ts";
import { header } from "../http/protocol/headers.ts";
import { ANONYMOUS } from "../requestContext.ts";
import { bucket, type Bucket, type Rate } from "./tokenBucket.ts";
import { keyIn, type Directory } from "./tenantDirectory.ts";
import { LimitError, secondsToNextMinute, type Refused } from "./limitError.ts";
import type { Usage, Used } from "./usage.ts";

/** An authenticated client's request. */
export interface Caller {
    readonly tenant: Tenant;
    /** Rate-limit headers for the response, as OpenAI sends them. */
    readonly headers: readonly string[];
    /** Must be called when the request has ended. */
    readonly done: () => void;
}

export interface Gate {
    /** @throws HttpError 401 for an unknown key, LimitError */
    readonly enter: (rawHeaders: readonly string[]) => Caller;
}

/** Default burst, in seconds of the rate. */
const BURST_SECONDS = 2;

interface State {
    readonly bucket: Bucket;
    requestsElsewhere: number;
    syncs: number;
    open: number;
}

/** Accepts every request, if the service is configured to. */
export function openGate(tenant: Tenant): Gate {
    const caller = { tenant, headers: [], done: () => undefined };
    return { enter: () => caller };
}

export interface KeyedGateParts {
    readonly directoryNow: () => Directory;
    readonly usage: Usage;
    /** Tenant of requests without a key, if they are allowed. */
    readonly anonymous: Tenant | undefined;
    readonly refused?: Refused;
    /** In milliseconds. */
    readonly now?: () => number;
}

interface Refusing {
    readonly reason: RejectionReason;
    readonly error: LimitError;
}

/** Accepts requests with a valid key, within the tenant's limits. */
export function keyedGate(parts: KeyedGateParts): Gate {
    const { directoryNow, usage, anonymous, refused, now = () => performance.now() } = parts;
    const states = new Map<string, State>();

    return {
        enter: (rawHeaders) => {
            const tenant = identify(rawHeaders);
            const { limits } = tenant;
            if (!limits) return { tenant, headers: [], done: () => undefined };
            const state = stateOf(tenant, limits);
            const refusing = refusal(tenant, limits, state);
            if (refusing) {
                refused?.(tenant.id, refusing.reason);
                throw refusing.error;
            }
            state.open += 1;
            let open = true;
            return {
                tenant,
                headers: remaining(limits, state),
                done: () => {
                    if (open) state.open -= 1;
                    open = false;
                },
            };
        },
    };

    function identify(rawHeaders: readonly string[]): Tenant {
        const credential = header(rawHeaders, "authorization") ?? header(rawHeaders, "api-key");
        if (credential === undefined) {
            if (anonymous) return anonymous;
            throw unauthorised("You did not provide an API key: send Authorization: Bearer KEY");
        }
        const tenant = directoryNow().tenantOf(credential);
        if (tenant) return tenant;
        // OpenAI's clients require some key. An unknown key is rejected, because its sender expects to be a
        // tenant.
        if (anonymous && keyIn(credential) === ANONYMOUS) return anonymous;
        throw unauthorised(
            anonymous
                ? `Incorrect API key provided; without a key of your own send none, or "${ANONYMOUS}"`
                : "Incorrect API key provided",
        );
    }

    function stateOf({ id }: Tenant, limits: Limits): State {
        let state = states.get(id);
        if (!state) {
            const { burst } = rateOf(limits);
            state = { bucket: bucket(burst, now), requestsElsewhere: 0, syncs: 0, open: 0 };
            states.set(id, state);
        }
        return state;
    }

    /** Takes one request from the tenant's rate, unless a limit is exceeded. */
    function refusal({ id }: Tenant, limits: Limits, state: State): Refusing | undefined {
        const { tokensPerMinute, tokensPerMonth, concurrentRequests } = limits;
        if (concurrentRequests !== undefined && state.open >= concurrentRequests) {
            const error = limited("requests", `${concurrentRequests} concurrent requests`, 1);
            return { reason: "concurrency", error };
        }
        const used = usage.of(id, limits);
        if (tokensPerMonth !== undefined && used.tokensThisMonth >= tokensPerMonth) {
            return { reason: "quota", error: exhausted(tokensPerMonth) };
        }
        if (tokensPerMinute !== undefined && used.tokensThisMinute >= tokensPerMinute) {
            const limit = `${tokensPerMinute} tokens per minute`;
            return { reason: "tokens", error: limited("tokens", limit, secondsToNextMinute()) };
        }
        if (limits.requestsPerSecond === undefined) return undefined;
        return takeRequest(id, rateOf(limits), state, used);
    }

    function takeRequest(
        id: string,
        rate: Rate,
        state: State,
        { requestsElsewhere, syncs }: Used,
    ): Refusing | undefined {
        const { bucket } = state;
        if (syncs !== state.syncs) {
            bucket.learn(rate, requestsElsewhere - state.requestsElsewhere);
            Object.assign(state, { requestsElsewhere, syncs });
        }
        if (!bucket.take(rate)) {
            const limit = `${rate.perSecond} requests per second`;
            return { reason: "requests", error: limited("requests", limit, bucket.wait(rate)) };
        }
        usage.addRequest(id);
        if (bucket.isNews(rate)) detach(usage.sync(id));
        return undefined;
    }
}

function rateOf({ requestsPerSecond = Infinity, burst }: Limits): Rate {
    return {
        perSecond: requestsPerSecond,
        burst: burst ?? Math.max(1, requestsPerSecond * BURST_SECONDS),
    };
}

function remaining({ requestsPerSecond }: Limits, { bucket }: State): readonly string[] {
    if (requestsPerSecond === undefined) return [];
    return [
        "x-ratelimit-limit-requests",
        String(requestsPerSecond),
        "x-ratelimit-remaining-requests",
        String(Math.floor(bucket.level())),
    ];
}

function unauthorised(message: string): HttpError {
    return new HttpError(401, message, { code: "invalid_api_key" });
}

function exhausted(tokensPerMonth: number): LimitError {
    return new LimitError(
        "insufficient_quota",
        `You exceeded your quota of ${tokensPerMonth} tokens per month`,
    );
}

function limited(type: "requests" | "tokens", limit: string, seconds: number): LimitError {
    return new LimitError(type, `Rate limit reached: ${limit}`, seconds);
}
