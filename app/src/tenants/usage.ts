import { CACHE_KEY_PREFIX } from "@property-search/contract";

import type { Log } from "../log.ts";

/** What tenants used in the current minute and month, in this pod and (as last heard) in the others. */
export interface Usage {
    readonly of: (tenant: string) => Used;
    readonly add: (tenant: string, requests: number, tokens: number) => void;
    readonly start: () => void;
    readonly stop: () => Promise<void>;
}

export interface Used {
    readonly requestsThisMinute: number;
    readonly tokensThisMinute: number;
    readonly tokensThisMonth: number;
}

/** What it takes from Redis. */
export interface UsageStore {
    /** Adds to each field and returns the sums, in their order; the key ends after so long. */
    readonly addTo: (
        key: string,
        fields: Readonly<Record<string, number>>,
        seconds: number,
    ) => Promise<readonly number[]>;
}

interface Counter {
    window: string;
    /** Counted here, and not yet told to the others. */
    untold: number;
    /** Of all pods, as last heard; includes what this one told. */
    told: number;
}

const SETTLE_MILLISECONDS = 1_000;
const SECONDS_OF = { minute: 120, month: 32 * 86_400 } as const;

type Window = keyof typeof SECONDS_OF;

interface Counters {
    readonly requests: Counter;
    readonly tokens: Counter;
    readonly month: Counter;
}

/**
 * Requests never wait for Redis: each pod counts by itself and settles with the others once a second. So
 * all pods together may exceed a limit by what they let in during that second, and without Redis each
 * counts alone.
 */
export function usage(store: UsageStore | undefined, log: Log, now = Date.now): Usage {
    const tenants = new Map<string, Counters>();
    let timer: NodeJS.Timeout | undefined;
    let current = { minute: -1, names: { minute: "", month: "" } };

    function countersOf(tenant: string): Counters {
        let counters = tenants.get(tenant);
        if (!counters) {
            counters = { requests: counter(), tokens: counter(), month: counter() };
            tenants.set(tenant, counters);
        }
        turn(counters.requests, windowOf("minute"));
        turn(counters.tokens, windowOf("minute"));
        turn(counters.month, windowOf("month"));
        return counters;
    }

    /** Asked for several times a request, so the text is made once a minute. */
    function windowOf(window: Window): string {
        const minute = Math.floor(now() / 60_000);
        if (minute !== current.minute) {
            const time = new Date(minute * 60_000).toISOString();
            current = { minute, names: { minute: time.slice(0, 16), month: time.slice(0, 7) } };
        }
        return current.names[window];
    }

    async function settle(): Promise<void> {
        if (!store) return;
        await Promise.all([...tenants.keys()].map((tenant) => settleOf(tenant, store)));
    }

    async function settleOf(tenant: string, to: UsageStore): Promise<void> {
        const { requests, tokens, month } = countersOf(tenant);
        await tell(to, tenant, "minute", { requests, tokens });
        await tell(to, tenant, "month", { tokens: month });
    }

    async function tell(
        to: UsageStore,
        tenant: string,
        window: Window,
        counters: Readonly<Record<string, Counter>>,
    ): Promise<void> {
        const names = Object.keys(counters);
        const sent = Object.values(counters).map(({ untold }) => untold);
        const at = windowOf(window);
        const key = `${CACHE_KEY_PREFIX}usage:${tenant}:${at}`;
        const fields = Object.fromEntries(names.map((name, index) => [name, sent[index] ?? 0]));
        try {
            const sums = await to.addTo(key, fields, SECONDS_OF[window]);
            Object.values(counters).forEach((one, index) => {
                if (one.window !== at) return;
                one.untold -= sent[index] ?? 0;
                one.told = sums[index] ?? one.told;
            });
        } catch (error) {
            log.debug({ error: String(error) }, "Usage could not be settled: counted here alone");
        }
    }

    return {
        of: (tenant) => {
            const { requests, tokens, month } = countersOf(tenant);
            return {
                requestsThisMinute: requests.told + requests.untold,
                tokensThisMinute: tokens.told + tokens.untold,
                tokensThisMonth: month.told + month.untold,
            };
        },
        add: (tenant, requests, tokens) => {
            const counters = countersOf(tenant);
            counters.requests.untold += requests;
            counters.tokens.untold += tokens;
            counters.month.untold += tokens;
        },
        start: () => {
            timer = setInterval(() => void settle(), SETTLE_MILLISECONDS).unref();
        },
        stop: async () => {
            clearInterval(timer);
            await settle();
        },
    };
}

function counter(): Counter {
    return { window: "", untold: 0, told: 0 };
}

function turn(counter: Counter, window: string): void {
    if (counter.window === window) return;
    counter.window = window;
    counter.untold = 0;
    counter.told = 0;
}
