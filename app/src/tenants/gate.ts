import type { Limits, Tenant } from "@property-search/contract";

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

/** @param anonymous who a request without a key is, if it may come in at all */
export function keyedGate(
    directoryNow: () => Directory,
    usage: Usage,
    anonymous: Tenant | undefined,
    now = () => performance.now(),
): Gate {
    const states = new Map<string, State>();

    return {
        enter: (rawHeaders) => {
            const tenant = identify(rawHeaders);
            const { limits } = tenant;
            if (!limits) return { tenant, headers: [], done: () => undefined };
            const state = stateOf(tenant, limits);
            admit(tenant, limits, state);
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

    function admit({ id }: Tenant, limits: Limits, state: State): void {
        const { requestsPerSecond, tokensPerMinute, tokensPerMonth, concurrentRequests } = limits;
        if (concurrentRequests !== undefined && state.open >= concurrentRequests) {
            throw limited("requests", `${concurrentRequests} concurrent requests`, 1);
        }
        const used = usage.of(id);
        if (tokensPerMonth !== undefined && used.tokensThisMonth >= tokensPerMonth) {
            const message = `You exceeded your quota of ${tokensPerMonth} tokens a month`;
            throw new HttpError(429, message, {
                type: "insufficient_quota",
                code: "insufficient_quota",
            });
        }
        if (tokensPerMinute !== undefined && used.tokensThisMinute >= tokensPerMinute) {
            throw limited("tokens", `${tokensPerMinute} tokens a minute`, secondsToNextMinute());
        }
        if (requestsPerSecond === undefined) return;
        if (used.requestsThisMinute >= requestsPerSecond * 60 + burstOf(limits)) {
            throw limited(
                "requests",
                `${requestsPerSecond} requests a second`,
                secondsToNextMinute(),
            );
        }
        const elapsed = (now() - state.filledAt) / 1000;
        state.tokens = Math.min(burstOf(limits), state.tokens + elapsed * requestsPerSecond);
        state.filledAt = now();
        if (state.tokens < 1) {
            const wait = Math.ceil((1 - state.tokens) / requestsPerSecond);
            throw limited("requests", `${requestsPerSecond} requests a second`, wait);
        }
        state.tokens -= 1;
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

function limited(what: "requests" | "tokens", limit: string, seconds: number): HttpError {
    return new HttpError(429, `Rate limit reached: ${limit}`, {
        type: what,
        code: "rate_limit_exceeded",
        retryAfterSeconds: Math.max(1, seconds),
    });
}
