import {
    CACHE_STATUSES,
    METRICS,
    OVERHEAD_KINDS,
    PURPOSES,
    type CacheStatus,
    type Purpose,
} from "@property-search/contract";
import type { Registry } from "prom-client";

import { createFamilies, mapKeys, type CounterSeries } from "../metrics/families.ts";
import { createTenantLabels } from "../metrics/tenantLabels.ts";
import type { RequestContext } from "../requestContext.ts";
import { RESULT_LABELS, type ResponseTotals } from "../cache/responseTotals.ts";
import { computeCost, type CurrentPrice } from "./prices.ts";

/** Savings and costs by tenant: tokens as the upstream counts them, dollars at the current price. */
export interface Ledger {
    readonly recordResponse: (tenant: string, account: ResponseTotals) => void;
    /**
     * Records a successful upstream call, even if its request fails because of another item.
     *
     * @param calls 0 for a further call of the same request; default: 1
     */
    readonly recordCall: (
        context: Pick<RequestContext, "tenant" | "purpose">,
        tokens: number,
        calls?: 0 | 1,
    ) => void;
    /** Initialises the tenants' series at 0. */
    readonly initialiseSeries: (tenants: readonly string[]) => void;
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
     * Savings less the cost of refreshes, warm-ups, probes and this pod. Misses, audited ones included, would have been
     * paid without a cache.
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
    readonly price: CurrentPrice;
    readonly dollarsPerHour: Readonly<Record<(typeof OVERHEAD_KINDS)[number], number>>;
}

type SavingStatus = Exclude<CacheStatus, "MISS">;

const SAVING = CACHE_STATUSES.filter((status): status is SavingStatus => status !== "MISS");
const MILLISECONDS_AN_HOUR = 3_600_000;

interface SeriesPair {
    readonly tokens: CounterSeries;
    readonly dollars: CounterSeries;
}

interface TenantSeries {
    readonly saved: Readonly<Record<SavingStatus, SeriesPair>>;
    readonly billed: Readonly<Record<Purpose, SeriesPair>>;
}

export function createLedger({ registry, model, price, dollarsPerHour }: LedgerOptions): Ledger {
    const { counter, gauge } = createFamilies(registry);
    const costSaved = counter(
        METRICS.costSaved,
        "Dollars not spent because vectors came from a cache",
    );
    const tokensSaved = counter(
        METRICS.tokensSaved,
        "Tokens not billed because vectors came from a cache",
    );
    const costBilled = counter(METRICS.costBilled, "Dollars spent upstream");
    const tokensBilled = counter(METRICS.tokensBilled, "Tokens billed by the upstream");
    gauge(METRICS.overheadRate, "Cost of the cache in dollars per hour", () =>
        OVERHEAD_KINDS.map((kind) => [{ kind }, dollarsPerHour[kind]]),
    );
    const startedAt = performance.now();
    const since = new Date().toISOString();
    const seriesByTenant = createTenantLabels<TenantSeries>((tenant) => ({
        saved: mapKeys(SAVING, (status) => {
            const labels = { tenant, model, result: RESULT_LABELS[status] };
            return { tokens: tokensSaved.series(labels), dollars: costSaved.series(labels) };
        }),
        billed: mapKeys(PURPOSES, (purpose) => {
            const labels = { tenant, model, purpose };
            return { tokens: tokensBilled.series(labels), dollars: costBilled.series(labels) };
        }),
    }));

    return {
        recordResponse: (tenant, { items, tokens }) => {
            const { saved } = seriesByTenant.get(tenant);
            const { perToken, perCall } = price();
            const hits =
                items["HIT-L1"] + items["HIT-L2"] + items.SEMANTIC + items.COALESCED + items.STALE;
            const savedPerRequest = items.MISS === 0 ? perCall : 0;
            const perItem = hits === 0 ? 0 : savedPerRequest / hits;
            // Explicit names: a computed key would need a lookup per request.
            recordSaving(saved["HIT-L1"], items["HIT-L1"], tokens["HIT-L1"], perItem, perToken);
            recordSaving(saved["HIT-L2"], items["HIT-L2"], tokens["HIT-L2"], perItem, perToken);
            recordSaving(saved.SEMANTIC, items.SEMANTIC, tokens.SEMANTIC, perItem, perToken);
            recordSaving(saved.COALESCED, items.COALESCED, tokens.COALESCED, perItem, perToken);
            recordSaving(saved.STALE, items.STALE, tokens.STALE, perItem, perToken);
        },
        recordCall: ({ tenant, purpose }, tokens, calls = 1) => {
            const pair = seriesByTenant.get(tenant).billed[purpose];
            pair.tokens.value += tokens;
            pair.dollars.value += computeCost(price(), tokens, calls);
        },
        initialiseSeries: (tenants) => {
            for (const tenant of tenants) seriesByTenant.get(tenant);
        },
        price: (tokens, calls) => computeCost(price(), tokens, calls),
        statement: () => {
            const tenants = [...seriesByTenant.all()];
            const podDollars =
                ((performance.now() - startedAt) / MILLISECONDS_AN_HOUR) * dollarsPerHour.pod;
            const saved = dollarsOf(tenants.flatMap(([, { saved }]) => Object.values(saved)));
            const overhead = dollarsOf(
                tenants.flatMap(([, { billed }]) => [billed.refresh, billed.warmup, billed.probe]),
            );
            return {
                since,
                model,
                tenants: Object.fromEntries(
                    tenants.map(([tenant, { saved, billed }]) => [
                        tenant,
                        {
                            saved: Object.fromEntries(
                                SAVING.map((status) => [
                                    RESULT_LABELS[status],
                                    sumOf(saved[status]),
                                ]),
                            ),
                            billed: mapKeys(PURPOSES, (purpose) => sumOf(billed[purpose])),
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

function recordSaving(
    pair: SeriesPair,
    items: number,
    tokens: number,
    perItem: number,
    perToken: number,
): void {
    // Avoids touching memory without need.
    if (items === 0) return;
    pair.tokens.value += tokens;
    pair.dollars.value += tokens * perToken + items * perItem;
}

function sumOf({ tokens, dollars }: SeriesPair): Sum {
    return { tokens: tokens.value, dollars: dollars.value };
}

function dollarsOf(pairs: readonly SeriesPair[]): number {
    return pairs.reduce((sum, { dollars }) => sum + dollars.value, 0);
}
