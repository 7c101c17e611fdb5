import type { Limits, Refusal, Tenant } from "@property-search/contract";

import { HttpError } from "../http/error.ts";
import { header } from "../http/headers.ts";
import type { Directory } from "./directory.ts";
import type { Usage } from "./usage.ts";

/** A request that was let in. */
export interface Caller {
    readonly tenant: Tenant;
    /** For the answer: how much is left, as OpenAI tells it. */
    readonly headers: readonly string[];
    /** The request ended, and so many of its tokens reached the upstream. */
    readonly done: (tokens: number) => void;
}

export interface Gate {
    /** @throws HttpError 401 for nobody's key, 429 beyond a limit */
    readonly enter: (rawHeaders: readonly string[]) => Caller;
}

/** Requests that may come at once, in seconds of the rate, unless the tenant's limits say otherwise. */
const BURST_SECONDS = 2;

interface State {
    /** Requests that may come now. */
    tokens: number;
    /** In milliseconds of `performance.now()`. */
    filledAt: number;
    open: number;
}

/** Lets everybody in: for a service that is configured to. */
export function openGate(tenant: Tenant): Gate {
    const caller = { tenant, headers: [], done: () => undefined };
    return { enter: () => caller };
}

/** Told of each request that a tenant's limits refused. */
export type Refused = (tenant: string, reason: Refusal) => void;

export interface KeyedGateParts {
    readonly directoryNow: () => Directory;
    readonly usage: Usage;
    /** Who a request without a key is, if it may come in at all. */
    readonly anonymous: Tenant | undefined;
    readonly refused?: Refused;
    /** In milliseconds. */
    readonly now?: () => number;
}

interface Refusing {
    readonly reason: Refusal;
    readonly error: HttpError;
}

/** Lets in who has a key, within its tenant's limits. */
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
            usage.add(tenant.id, 1, 0);
            let open = true;
            return {
                tenant,
                headers: remaining(limits, state),
                done: (tokens) => {
                    if (!open) return;
                    open = false;
                    state.open -= 1;
                    if (tokens > 0) usage.add(tenant.id, 0, tokens);
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
        if (!tenant) throw unauthorised("Incorrect API key provided");
        return tenant;
    }

    function stateOf({ id }: Tenant, limits: Limits): State {
        let state = states.get(id);
        if (!state) {
            state = { tokens: burstOf(limits), filledAt: now(), open: 0 };
            states.set(id, state);
        }
        return state;
    }

    /** Takes one request out of the tenant's rate, unless something refuses it. */
    function refusal({ id }: Tenant, limits: Limits, state: State): Refusing | undefined {
        const { requestsPerSecond, tokensPerMinute, tokensPerMonth, concurrentRequests } = limits;
        if (concurrentRequests !== undefined && state.open >= concurrentRequests) {
            const error = limited("requests", `${concurrentRequests} concurrent requests`, 1);
            return { reason: "concurrency", error };
        }
        const used = usage.of(id);
        if (tokensPerMonth !== undefined && used.tokensThisMonth >= tokensPerMonth) {
            return { reason: "quota", error: exhausted(tokensPerMonth) };
        }
        if (tokensPerMinute !== undefined && used.tokensThisMinute >= tokensPerMinute) {
            const limit = `${tokensPerMinute} tokens a minute`;
            return { reason: "tokens", error: limited("tokens", limit, secondsToNextMinute()) };
        }
        if (requestsPerSecond === undefined) return undefined;
        const limit = `${requestsPerSecond} requests a second`;
        if (used.requestsThisMinute >= requestsPerSecond * 60 + burstOf(limits)) {
            const error = limited("requests", limit, secondsToNextMinute());
            return { reason: "requests", error };
        }
        const elapsed = (now() - state.filledAt) / 1000;
        state.tokens = Math.min(burstOf(limits), state.tokens + elapsed * requestsPerSecond);
        state.filledAt = now();
        if (state.tokens < 1) {
            const wait = Math.ceil((1 - state.tokens) / requestsPerSecond);
            return { reason: "requests", error: limited("requests", limit, wait) };
        }
        state.tokens -= 1;
        return undefined;
    }
}

function burstOf({ burst, requestsPerSecond = Infinity }: Limits): number {
    return burst ?? Math.max(1, requestsPerSecond * BURST_SECONDS);
}

function remaining({ requestsPerSecond }: Limits, state: State): readonly string[] {
    if (requestsPerSecond === undefined) return [];
    return [
        "x-ratelimit-limit-requests",
        String(requestsPerSecond),
        "x-ratelimit-remaining-requests",
        String(Math.floor(state.tokens)),
    ];
}

function secondsToNextMinute(): number {
    return 60 - new Date().getUTCSeconds();
}

function unauthorised(message: string): HttpError {
    return new HttpError(401, message, { code: "invalid_api_key" });
}

function exhausted(tokensPerMonth: number): HttpError {
    return new HttpError(429, `You exceeded your quota of ${tokensPerMonth} tokens a month`, {
        type: "insufficient_quota",
        code: "insufficient_quota",
    });
}

function limited(what: "requests" | "tokens", limit: string, seconds: number): HttpError {
    return new HttpError(429, `Rate limit reached: ${limit}`, {
        type: what,
        code: "rate_limit_exceeded",
        retryAfterSeconds: Math.max(1, seconds),
    });
}
