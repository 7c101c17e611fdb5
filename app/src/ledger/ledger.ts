import {
    CACHE_STATUSES,
    METRICS,
    OVERHEAD_KINDS,
    PURPOSES,
    type CacheStatus,
    type Purpose,
} from "@property-search/contract";
import type { Registry } from "prom-client";

import { counterFamily, gauge, type Cell } from "../metrics/families.ts";
import { tenantLabels } from "../metrics/tenantLabels.ts";
import type { Scope } from "../requestContext.ts";
import { RESULTS, type Account } from "../cache/responseTotals.ts";
import { costOf, type PriceNow } from "./prices.ts";

/** Savings and costs by tenant: tokens as the upstream counts them, dollars at the current price. */
export interface Ledger {
    readonly answered: (tenant: string, account: Account) => void;
    /**
     * Records a successful upstream call, even if its request fails because of another item.
     *
     * @param calls 0 for a further call of the same request; default: 1
     */
    readonly billed: (
        scope: Pick<Scope, "tenant" | "purpose">,
        tokens: number,
        calls?: 0 | 1,
    ) => void;
    /** Initialises the tenants' series at 0. */
    readonly know: (tenants: readonly string[]) => void;
    /** Dollars that this would cost now. */
    readonly price: (tokens: number, calls: number) => number;
    readonly statement: () => Statement;
}

/** Totals of this pod since its start, in tokens and dollars. */
export interface Statement {
    readonly since: string;
    readonly model: string;
    readonly tenants: Readonly<Record<string, TenantStatement>>;
    readonly savedDollars: number;
    readonly billedDollars: number;
    /** Cost of this pod since its start, without the cost that all pods share. */
    readonly podDollars: number;
    /**
     * Savings less the cost of refreshes, warm-ups and this pod. Misses would have been paid without a cache.
     */
    readonly netDollars: number;
}

export interface TenantStatement {
    readonly saved: Readonly<Record<string, Sum>>;
    readonly billed: Readonly<Record<string, Sum>>;
}

export interface Sum {
    readonly tokens: number;
    readonly dollars: number;
}

export interface LedgerOptions {
    readonly registry: Registry;
    readonly model: string;
    readonly price: PriceNow;
    readonly dollarsPerHour: Readonly<Record<(typeof OVERHEAD_KINDS)[number], number>>;
}

type SavingStatus = Exclude<CacheStatus, "MISS">;

const SAVING = CACHE_STATUSES.filter((status): status is SavingStatus => status !== "MISS");
const MILLISECONDS_AN_HOUR = 3_600_000;

interface Entry {
    readonly tokens: Cell;
    readonly dollars: Cell;
}

interface Books {
    readonly saved: Readonly<Record<SavingStatus, Entry>>;
    readonly billed: Readonly<Record<Purpose, Entry>>;
}

export function openLedger({ registry, model, price, dollarsPerHour }: LedgerOptions): Ledger {
    const saving = ["tenant", "model", "result"];
    const spending = ["tenant", "model", "purpose"];
    const costSaved = counterFamily(registry, {
        name: METRICS.costSaved,
        help: "Dollars not spent because vectors came from a cache",
        labelNames: saving,
    });
    const tokensSaved = counterFamily(registry, {
        name: METRICS.tokensSaved,
        help: "Tokens not billed because vectors came from a cache",
        labelNames: saving,
    });
    const costBilled = counterFamily(registry, {
        name: METRICS.costBilled,
        help: "Dollars spent upstream",
        labelNames: spending,
    });
    const tokensBilled = counterFamily(registry, {
        name: METRICS.tokensBilled,
        help: "Tokens billed by the upstream",
        labelNames: spending,
    });
    gauge(
        registry,
        {
            name: METRICS.overheadRate,
            help: "Cost of the cache in dollars per hour",
            labelNames: ["kind"],
        },
        () => OVERHEAD_KINDS.map((kind) => [{ kind }, dollarsPerHour[kind]]),
    );
    const begun = performance.now();
    const since = new Date().toISOString();
    const books = tenantLabels<Books>((tenant) => ({
        saved: record(SAVING, (status) => {
            const labels = { tenant, model, result: RESULTS[status] };
            return { tokens: tokensSaved.cell(labels), dollars: costSaved.cell(labels) };
        }),
        billed: record(PURPOSES, (purpose) => {
            const labels = { tenant, model, purpose };
            return { tokens: tokensBilled.cell(labels), dollars: costBilled.cell(labels) };
        }),
    }));

    return {
        answered: (tenant, { items, tokens }) => {
            const { saved } = books.of(tenant);
            const { perToken, perCall } = price();
            const all = items["HIT-L1"] + items["HIT-L2"] + items.COALESCED + items.STALE;
            const avoided = items.MISS === 0 ? perCall : 0;
            const perItem = all === 0 ? 0 : avoided / all;
            // Explicit names: a computed key would need a lookup per request.
            save(saved["HIT-L1"], items["HIT-L1"], tokens["HIT-L1"], perItem, perToken);
            save(saved["HIT-L2"], items["HIT-L2"], tokens["HIT-L2"], perItem, perToken);
            save(saved.COALESCED, items.COALESCED, tokens.COALESCED, perItem, perToken);
            save(saved.STALE, items.STALE, tokens.STALE, perItem, perToken);
        },
        billed: ({ tenant, purpose }, tokens, calls = 1) => {
            const entry = books.of(tenant).billed[purpose];
            entry.tokens.value += tokens;
            entry.dollars.value += costOf(price(), tokens, calls);
        },
        know: (tenants) => {
            for (const tenant of tenants) books.of(tenant);
        },
        price: (tokens, calls) => costOf(price(), tokens, calls),
        statement: () => {
            const tenants = [...books.all()];
            const podDollars =
                ((performance.now() - begun) / MILLISECONDS_AN_HOUR) * dollarsPerHour.pod;
            const saved = dollarsOf(tenants.flatMap(([, { saved }]) => Object.values(saved)));
            const overhead = dollarsOf(
                tenants.flatMap(([, { billed }]) => [billed.refresh, billed.warmup]),
            );
            return {
                since,
                model,
                tenants: Object.fromEntries(
                    tenants.map(([tenant, { saved, billed }]) => [
                        tenant,
                        {
                            saved: Object.fromEntries(
                                SAVING.map((status) => [RESULTS[status], sumOf(saved[status])]),
                            ),
                            billed: record(PURPOSES, (purpose) => sumOf(billed[purpose])),
                        },
                    ]),
                ),
                savedDollars: saved,
                billedDollars: dollarsOf(
                    tenants.flatMap(([, { billed }]) => Object.values(billed)),
                ),
                podDollars,
                netDollars: saved - overhead - podDollars,
            };
        },
    };
}

function save(
    entry: Entry,
    items: number,
    tokens: number,
    perItem: number,
    perToken: number,
): void {
    // Avoids touching memory without need.
    if (items === 0) return;
    entry.tokens.value += tokens;
    entry.dollars.value += tokens * perToken + items * perItem;
}

function sumOf({ tokens, dollars }: Entry): Sum {
    return { tokens: tokens.value, dollars: dollars.value };
}

function dollarsOf(entries: readonly Entry[]): number {
    return entries.reduce((sum, { dollars }) => sum + dollars.value, 0);
}

function record<K extends string, T>(keys: readonly K[], make: (key: K) => T): Record<K, T> {
    return Object.fromEntries(keys.map((key) => [key, make(key)])) as Record<K, T>;
}
