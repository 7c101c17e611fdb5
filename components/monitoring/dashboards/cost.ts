import { METRICS, SERIES } from "@property-search/contract";
import { FOR_REQUESTS } from "../alerts/recording.ts";
import { createDashboard, type Row } from "./dashboard.ts";
import type { DashboardsOptions } from "./options.ts";
import { highIsGood } from "./palette.ts";
import { graphPanel, statPanel, tablePanel } from "./panels.ts";
import { withoutNaN, increase, query, rate } from "./queries.ts";
import { UNITS } from "./units.ts";

/** Matchers of the dashboard's filters. */
const FILTERS = 'tenant=~"$tenant",model=~"$model"';
const SAVED = `${METRICS.costSaved}{${FILTERS}}`;
const BILLED = `${METRICS.costBilled}{${FILTERS}}`;
/** Cost of misses, which would be billed without a cache too. */
const BILLED_MISSES = `${METRICS.costBilled}{${FILTERS},${FOR_REQUESTS}}`;
/** Dollars per hour; every pod reports the same storage cost. */
const PODS = `sum(${METRICS.overheadRate}{kind="pod"})`;
const STORAGE = `max(${METRICS.overheadRate}{kind="storage"})`;

const HOUR = 3600;
const MONTHS_PER_YEAR = 365 / 30;

/** For the owner of the budget: savings and cost of the cache, by tenant and model. */
export function costDashboard(options: DashboardsOptions): object {
    return createDashboard({
        uid: "property-search-cost",
        title: "Cost",
        description: "Savings and cost of the cache, by tenant and model.",
        from: "now-24h",
        filters: [
            { label: "tenant", metric: METRICS.costSaved },
            { label: "model", metric: METRICS.costSaved },
        ],
        rows: [{ panels: summaryPanels(options) }, dollarsRow(options), tokensRow(), tenantsRow()],
    });
}

function summaryPanels({
    thresholds: { savingsWindowHours, monthlySavingsDollars },
}: DashboardsOptions) {
    const basis = `at the mean rate of the last ${savingsWindowHours} hours`;
    return [
        statPanel({
            id: 1,
            title: "Net per month",
            description:
                `Dollars saved in 30 days ${basis}, net of refreshes, warm-ups, pods and storage. ` +
                `The target is $${monthlySavingsDollars}.`,
            unit: UNITS.dollars,
            width: 4,
            steps: highIsGood(monthlySavingsDollars),
            queries: [query(SERIES.netSavedPerMonth, "net")],
        }),
        statPanel({
            id: 2,
            title: "Saved per month",
            description: `Upstream cost that the caches avoid in 30 days, in dollars, ${basis}.`,
            unit: UNITS.dollars,
            width: 4,
            queries: [query(SERIES.savedPerMonth, "saved")],
        }),
        statPanel({
            id: 3,
            title: "Net per year",
            description: `Net savings of 365 days, in dollars, ${basis}.`,
            unit: UNITS.dollars,
            width: 4,
            queries: [query(`${SERIES.netSavedPerMonth} * ${MONTHS_PER_YEAR}`, "net")],
        }),
        statPanel({
            id: 4,
            title: "Saved in the time range",
            description:
                "Dollars, for the selected tenants and models. Prometheus keeps 200 hours.",
            unit: UNITS.dollars,
            width: 4,
            queries: [query(`sum(${increase(SAVED)})`, "saved")],
        }),
        statPanel({
            id: 5,
            title: "Cost reduction",
            description: "Dollars saved over the cost without a cache, over the last five minutes.",
            unit: UNITS.ratio,
            width: 4,
            noValue: "idle",
            decimals: 1,
            queries: [query(SERIES.costSavings, "reduction")],
        }),
        statPanel({
            id: 6,
            title: "Current price",
            description:
                "Dollars that the upstream billed per million tokens and per thousand calls in the last hour. With " +
                "token prices the first equals the price list, with a flat price the second does.",
            unit: UNITS.dollars,
            width: 4,
            noValue: "nothing billed",
            queries: [
                query(priceOf(METRICS.tokensBilled, 1_000_000), "1 M tokens"),
                query(priceOf(METRICS.upstreamCalls, 1_000), "1,000 calls"),
            ],
        }),
    ];
}

function priceOf(counter: string, count: number): string {
    return withoutNaN(
        `sum(increase(${METRICS.costBilled}[1h])) / sum(increase(${counter}[1h])) * ${count}`,
    );
}

function dollarsRow({ thresholds: { monthlySavingsDollars } }: DashboardsOptions): Row {
    const thousandLookups = `sum(${rate(METRICS.lookups)}) / 1000`;
    return {
        id: 100,
        title: "Dollars",
        panels: [
            graphPanel({
                id: 10,
                title: "Savings per month",
                description: `Dollars in 30 days at the rate of the preceding hours. The target is $${monthlySavingsDollars}.`,
                unit: UNITS.dollars,
                width: 12,
                min: null,
                steps: highIsGood(monthlySavingsDollars),
                queries: [
                    query(SERIES.savedPerMonth, "saved"),
                    query(SERIES.netSavedPerMonth, "net"),
                ],
            }),
            graphPanel({
                id: 11,
                title: "Savings per hour",
                description: "Dollars per hour before and after the cache's own cost.",
                unit: UNITS.dollarsPerHour,
                width: 12,
                min: null,
                queries: [
                    query(`${SERIES.saved} * ${HOUR}`, "saved"),
                    query(`${SERIES.netSaved} * ${HOUR}`, "net"),
                ],
            }),
            graphPanel({
                id: 12,
                title: "Saved by result",
                description: "Dollars per hour, by cache tier.",
                unit: UNITS.dollarsPerHour,
                width: 8,
                stacked: true,
                queries: [query(perHour("result", SAVED), "{{result}}")],
            }),
            graphPanel({
                id: 13,
                title: "Billed by purpose",
                description:
                    "Dollars per hour. request: misses, which cost the same without a cache; refresh and warmup: cost " +
                    "of the cache itself.",
                unit: UNITS.dollarsPerHour,
                width: 8,
                stacked: true,
                queries: [query(perHour("purpose", BILLED), "{{purpose}}")],
            }),
            graphPanel({
                id: 14,
                title: "Overhead",
                description:
                    "Cost of pods and storage in dollars per hour, from the stack's config.",
                unit: UNITS.dollarsPerHour,
                width: 8,
                stacked: true,
                stepped: true,
                queries: [query(PODS, "pods"), query(STORAGE, "storage")],
            }),
            graphPanel({
                id: 15,
                title: "Cost per thousand lookups",
                description: "Total cost in dollars, compared with the cost without a cache.",
                unit: UNITS.dollars,
                width: 12,
                queries: [
                    query(
                        `(sum(${rate(METRICS.costBilled)}) + (${PODS} + ${STORAGE}) / ${HOUR}) / (${thousandLookups})`,
                        "with the cache",
                    ),
                    query(
                        `(sum(${rate(METRICS.costSaved)}) + sum(${rate(`${METRICS.costBilled}{${FOR_REQUESTS}}`)})) / (${thousandLookups})`,
                        "without the cache",
                    ),
                ],
            }),
            graphPanel({
                id: 16,
                title: "Cost and token reduction",
                description: "Dollars and tokens served from caches, over all requested.",
                unit: UNITS.ratio,
                width: 12,
                max: 1,
                queries: [
                    query(SERIES.costSavings, "dollars"),
                    query(SERIES.tokenHitRatio.service, "tokens"),
                ],
            }),
        ],
    };
}

function tokensRow(): Row {
    const rateBy = (label: string, counter: string) =>
        query(`sum by (${label}) (${rate(`${counter}{${FILTERS}}`)})`, `{{${label}}}`);
    return {
        id: 101,
        title: "Tokens",
        panels: [
            graphPanel({
                id: 20,
                title: "Tokens saved",
                description: "Tokens per second by cache tier, as the upstream would count them.",
                unit: UNITS.tokensPerSecond,
                width: 12,
                stacked: true,
                queries: [rateBy("result", METRICS.tokensSaved)],
            }),
            graphPanel({
                id: 21,
                title: "Tokens billed",
                description: "Tokens per second by purpose of the upstream call.",
                unit: UNITS.tokensPerSecond,
                width: 12,
                stacked: true,
                queries: [rateBy("purpose", METRICS.tokensBilled)],
            }),
        ],
    };
}

function tenantsRow(): Row {
    const top = (label: string, series: string) =>
        query(`topk(10, ${perHour(label, series)})`, `{{${label}}}`);
    const dollars = { unit: UNITS.dollarsPerHour, width: 8 } as const;
    const total = (label: string, series: string) => `sum by (${label}) (${increase(series)})`;
    return {
        id: 102,
        title: "Tenants and models",
        panels: [
            graphPanel({
                ...dollars,
                id: 30,
                title: "Saved by tenant",
                description: "Dollars per hour of the ten tenants that save most.",
                queries: [top("tenant", SAVED)],
            }),
            graphPanel({
                ...dollars,
                id: 31,
                title: "Billed by tenant",
                description: "Dollars per hour of the ten tenants that spend most.",
                queries: [top("tenant", BILLED)],
            }),
            graphPanel({
                ...dollars,
                id: 32,
                title: "Saved by model",
                description: "Dollars per hour of the ten models that save most.",
                queries: [top("model", SAVED)],
            }),
            tablePanel({
                id: 33,
                title: "Tenants in the time range",
                description:
                    "Dollars and tokens by tenant. Tenants beyond the first 500 of a pod are combined as others.",
                unit: UNITS.count,
                width: 24,
                queries: [
                    query(total("tenant", SAVED), "saved"),
                    query(total("tenant", BILLED), "billed"),
                    query(
                        `${total("tenant", SAVED)} / (${total("tenant", SAVED)} + ${total("tenant", BILLED_MISSES)} > 0)`,
                        "reduction",
                    ),
                    query(total("tenant", `${METRICS.tokensSaved}{${FILTERS}}`), "tokens saved"),
                    query(total("tenant", `${METRICS.tokensBilled}{${FILTERS}}`), "tokens billed"),
                ],
                columns: [
                    { field: "tenant", title: "Tenant" },
                    { field: "Value #A", title: "Saved", unit: UNITS.dollars },
                    { field: "Value #B", title: "Billed", unit: UNITS.dollars },
                    { field: "Value #C", title: "Reduction", unit: UNITS.ratio },
                    { field: "Value #D", title: "Tokens saved", unit: UNITS.count },
                    { field: "Value #E", title: "Tokens billed", unit: UNITS.count },
                ],
                hidden: [],
            }),
        ],
    };
}

function perHour(by: string, series: string): string {
    return `sum by (${by}) (${rate(series)}) * ${HOUR}`;
}
