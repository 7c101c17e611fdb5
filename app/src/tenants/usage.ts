import { randomUUID } from "node:crypto";

import { CACHE_KEY_PREFIX, type Limits } from "@property-search/contract";

import { wallClock } from "../clock.ts";
import { detach } from "../detach.ts";
import type { Log } from "../log.ts";
import { isErrorReply } from "../redis/errorReply.ts";
import type { UsageStore } from "./usageStore.ts";

/** Usage of tenants in the current minute and month, in this pod and, as of the last sync, in the others. */
export interface Usage {
    /** @param limits determine which sums are synced; unlimited sums are not */
    readonly get: (tenant: string, limits: Limits) => TenantUsage;
    readonly addRequest: (tenant: string) => void;
    readonly addTokens: (tenant: string, tokens: number) => void;
    /** Adds tokens reserved for a call in flight; negative when the call has ended. */
    readonly reserve: (tenant: string, tokens: number) => void;
    /** Syncs a tenant's sums with other pods. Waits only while Redis is available; never throws. */
    readonly sync: (tenant: string) => Promise<void>;
    readonly start: () => void;
    readonly stop: () => Promise<void>;
}

export interface TenantUsage {
    /** Including reserved tokens. */
    readonly tokensThisMinute: number;
    readonly tokensThisMonth: number;
    /** Requests of other pods since this pod started, as of the last sync. */
    readonly requestsElsewhere: number;
    /** Number of successful syncs. */
    readonly syncs: number;
}

const SYNC_MILLISECONDS = 1_000;
/** Sums outlive their window, for pods whose clocks differ. */
const WINDOW_SECONDS = { minute: 120, month: 32 * 86_400 } as const;

type WindowKind = keyof typeof WINDOW_SECONDS;

interface Counter {
    /** Counted in this pod. */
    own: number;
    /** Part that is included in the sum in Redis. */
    shared: number;
    others: number;
}

interface Window {
    name: string;
    readonly counters: Readonly<Record<string, Counter>>;
    /** Counters that are synced. */
    fields: readonly string[];
    /** The result of the last addition is unknown. */
    isUncertain: boolean;
}

interface Account {
    limits: Limits | undefined;
    readonly requests: Counter;
    readonly minuteTokens: Counter;
    readonly monthTokens: Counter;
    readonly windows: Readonly<Record<WindowKind, Window>>;
    reserved: number;
    requestsElsewhere: number;
    syncs: number;
    /** In milliseconds of `performance.now()`. */
    syncedAt: number;
    /** The tenant has sent requests since the last sync. */
    isActive: boolean;
    syncing: Promise<void> | undefined;
    /** Starts when `syncing` has ended. */
    next: Promise<void> | undefined;
}

/**
 * Pods count locally and sync their sums through Redis: every second for active tenants, and immediately near
 * a limit. Without Redis, each pod counts alone. After a lost response, nothing is sent again until it is
 * known whether the addition arrived.
 */
export function createUsage(store: UsageStore | undefined, log: Log, now = wallClock): Usage {
    const pod = randomUUID().slice(0, 8);
    const accounts = new Map<string, Account>();
    let timer: NodeJS.Timeout | undefined;
    let current = { minute: -1, names: { minute: "", month: "" } };
    /** After a failed sync, callers do not wait for Redis. */
    let isStoreAvailable = true;

    function accountOf(tenant: string): Account {
        let account = accounts.get(tenant);
        if (!account) {
            account = createAccount();
            accounts.set(tenant, account);
        }
        rollOver(account.windows.minute, windowName("minute"));
        rollOver(account.windows.month, windowName("month"));
        return account;
    }

    /** Used several times per request, so the text is cached for a minute. */
    function windowName(kind: WindowKind): string {
        const minute = Math.floor(now() / 60_000);
        if (minute !== current.minute) {
            const time = new Date(minute * 60_000).toISOString();
            current = { minute, names: { minute: time.slice(0, 16), month: time.slice(0, 7) } };
        }
        return current.names[kind];
    }

    /** When it resolves, everything counted before this call has been synced. */
    function sync(tenant: string): Promise<void> {
        if (!store) return Promise.resolve();
        const account = accountOf(tenant);
        const started = startSync(tenant, account, store);
        return isStoreAvailable ? started : Promise.resolve();
    }

    function startSync(tenant: string, account: Account, store: UsageStore): Promise<void> {
        if (account.syncing) {
            account.next ??= account.syncing.then(() => {
                account.next = undefined;
                return startSync(tenant, account, store);
            });
            return account.next;
        }
        account.syncing = syncWindows(tenant, account, store).finally(() => {
            account.syncing = undefined;
        });
        return account.syncing;
    }

    async function syncWindows(tenant: string, account: Account, store: UsageStore): Promise<void> {
        account.isActive = false;
        account.syncedAt = performance.now();
        const { minute, month } = accountOf(tenant).windows;
        const before = account.requests.others;
        try {
            await Promise.all([
                syncWindow(tenant, account, "minute", minute, store),
                syncWindow(tenant, account, "month", month, store),
            ]);
            isStoreAvailable = true;
            account.syncs += 1;
            account.requestsElsewhere += Math.max(0, account.requests.others - before);
        } catch (error) {
            // Not because of one tenant's key, such as one of another type.
            isStoreAvailable = isErrorReply(error);
            account.isActive = true;
            log.debug({ error: String(error) }, "Usage could not be synced: counting locally");
        }
    }

    async function syncWindow(
        tenant: string,
        { reserved }: Account,
        kind: WindowKind,
        window: Window,
        store: UsageStore,
    ): Promise<void> {
        const { name, counters, fields } = window;
        if (fields.length === 0) return;
        const key = `${CACHE_KEY_PREFIX}usage:${tenant}:${name}`;
        const additions = Object.fromEntries(
            fields.map((field) => {
                const { own, shared } = counters[field] ?? createCounter();
                const total = field === TOKENS ? own + reserved : own;
                return [field, window.isUncertain ? 0 : total - shared];
            }),
        );
        const wasUncertain = window.isUncertain;
        window.isUncertain = true;
        const sums = await store.addAndRead(key, pod, additions, WINDOW_SECONDS[kind]);
        if (window.name !== name) return;
        window.isUncertain = false;
        for (const [field, { all, own }] of Object.entries(sums)) {
            Object.assign(counters[field] ?? {}, { shared: own, others: Math.max(0, all - own) });
        }
        if (wasUncertain) await syncWindow(tenant, accountOf(tenant), kind, window, store);
    }

    return {
        get: (tenant, limits) => {
            const account = accountOf(tenant);
            if (account.limits !== limits) setLimits(account, limits);
            const wasIdle = !account.isActive;
            account.isActive = true;
            if (wasIdle && performance.now() - account.syncedAt > SYNC_MILLISECONDS) {
                detach(sync(tenant));
            }
            const { minuteTokens, monthTokens, reserved, requestsElsewhere, syncs } = account;
            return {
                tokensThisMinute: minuteTokens.own + minuteTokens.others + reserved,
                tokensThisMonth: monthTokens.own + monthTokens.others + reserved,
                requestsElsewhere,
                syncs,
            };
        },
        addRequest: (tenant) => {
            const account = accountOf(tenant);
            account.requests.own += 1;
            account.isActive = true;
        },
        addTokens: (tenant, tokens) => {
            const account = accountOf(tenant);
            account.minuteTokens.own += tokens;
            account.monthTokens.own += tokens;
            account.isActive = true;
        },
        reserve: (tenant, tokens) => {
            const account = accountOf(tenant);
            account.reserved += tokens;
            account.isActive = true;
        },
        sync,
        start: () => {
            timer = setInterval(() => {
                for (const [tenant, { isActive }] of accounts) if (isActive) detach(sync(tenant));
            }, SYNC_MILLISECONDS).unref();
        },
        stop: async () => {
            clearInterval(timer);
            const active = [...accounts].filter(([, { isActive }]) => isActive);
            await Promise.all(active.map(([tenant]) => sync(tenant)));
        },
    };
}

const REQUESTS = "requests";
const TOKENS = "tokens";

function setLimits(account: Account, limits: Limits): void {
    const { requestsPerSecond, tokensPerMinute, tokensPerMonth } = limits;
    account.limits = limits;
    account.windows.minute.fields = [
        ...(requestsPerSecond === undefined ? [] : [REQUESTS]),
        ...(tokensPerMinute === undefined ? [] : [TOKENS]),
    ];
    account.windows.month.fields = tokensPerMonth === undefined ? [] : [TOKENS];
}

function createAccount(): Account {
    const [requests, minuteTokens, monthTokens] = [
        createCounter(),
        createCounter(),
        createCounter(),
    ];
    const windowOf = (counters: Window["counters"]): Window => ({
        name: "",
        counters,
        fields: [],
        isUncertain: false,
    });
    return {
        limits: undefined,
        requests,
        minuteTokens,
        monthTokens,
        windows: {
            minute: windowOf({ [REQUESTS]: requests, [TOKENS]: minuteTokens }),
            month: windowOf({ [TOKENS]: monthTokens }),
        },
        reserved: 0,
        requestsElsewhere: 0,
        syncs: 0,
        syncedAt: -Infinity,
        isActive: false,
        syncing: undefined,
        next: undefined,
    };
}

function createCounter(): Counter {
    return { own: 0, shared: 0, others: 0 };
}

function rollOver(window: Window, name: string): void {
    if (window.name === name) return;
    window.name = name;
    window.isUncertain = false;
    for (const counter of Object.values(window.counters)) Object.assign(counter, createCounter());
}
