import { METRICS, SERIES } from "@property-search/contract";
import { dashboard, type Row } from "./dashboard.ts";
import type { DashboardsOptions } from "./options.ts";
import { goodFrom } from "./palette.ts";
import { graph, stat, table } from "./panels.ts";
import { ifAny, increase, query, rate } from "./queries.ts";
import { UNITS } from "./units.ts";

/** What the reader chose: all tenants and models, or some. */
const CHOSEN = 'tenant=~"$tenant",model=~"$model"';
const SAVED = `${METRICS.costSaved}{${CHOSEN}}`;
const BILLED = `${METRICS.costBilled}{${CHOSEN}}`;
/** What misses cost would have been billed without a cache too. */
const ASKED = `${METRICS.costBilled}{${CHOSEN},purpose="request"}`;
/** Dollars an hour; what all pods share is the same figure in each. */
const PODS = `sum(${METRICS.overheadRate}{kind="pod"})`;
const STORAGE = `max(${METRICS.overheadRate}{kind="storage"})`;

const HOUR = 3600;
const MONTHS_A_YEAR = 365 / 30;

/** For whoever pays: what the cache saves, what it costs, and who has it from it. */
export function costDashboard(options: DashboardsOptions): object {
    return dashboard({
        uid: "property-search-cost",
        title: "Cost",
        description: "What the cache saves, what it costs, and for whom.",
        from: "now-24h",
        choices: [
            { label: "tenant", metric: METRICS.costSaved },
            { label: "model", metric: METRICS.costSaved },
        ],
        rows: [{ panels: glance(options) }, money(options), tokens(), tenants()],
    });
}

function glance({ thresholds: { savings } }: DashboardsOptions) {
    const rate30 = `at the mean rate of the last ${savings.windowHours} hours`;
    return [
        stat({
            id: 1,
            title: "Net a month",
            description:
                `Dollars saved in 30 days ${rate30}, less renewals, warm-ups, pods and storage. ` +
                `The target is ${savings.dollarsPerMonth} $.`,
            unit: UNITS.dollars,
            width: 4,
            steps: goodFrom(savings.dollarsPerMonth),
            queries: [query(SERIES.netSavedPerMonth, "net")],
        }),
        stat({
            id: 2,
            title: "Saved a month",
            description: `Dollars that caches kept from being spent upstream in 30 days, ${rate30}.`,
            unit: UNITS.dollars,
            width: 4,
            queries: [query(SERIES.savedPerMonth, "saved")],
        }),
        stat({
            id: 3,
            title: "Net a year",
            description: `The net of a month, ${rate30}, for 365 days.`,
            unit: UNITS.dollars,
            width: 4,
            queries: [query(`${SERIES.netSavedPerMonth} * ${MONTHS_A_YEAR}`, "net")],
        }),
        stat({
            id: 4,
            title: "Saved in the shown time",
            description: "Dollars, of the chosen tenants and models. Prometheus keeps 200 hours.",
            unit: UNITS.dollars,
            width: 4,
            queries: [query(`sum(${increase(SAVED)})`, "saved")],
        }),
        stat({
            id: 5,
            title: "The bill is cut by",
            description:
                "Dollars saved over what would have been spent without a cache, of five minutes.",
            unit: UNITS.ratio,
            width: 4,
            absent: "idle",
            decimals: 1,
            queries: [query(SERIES.costSavings, "cut")],
        }),
        stat({
            id: 6,
            title: "Price in force",
            description:
                "Dollars that the upstream billed for a million tokens and for a thousand calls in the last hour. " +
                "With token prices the first is the list's figure, with a flat price the second is.",
            unit: UNITS.dollars,
            width: 4,
            absent: "nothing billed",
            queries: [
                query(perBilled(METRICS.tokensBilled, 1_000_000), "1 M tokens"),
                query(perBilled(METRICS.upstreamCalls, 1_000), "1,000 calls"),
            ],
        }),
    ];
}

function perBilled(counted: string, of: number): string {
    return ifAny(
        `sum(increase(${METRICS.costBilled}[1h])) / sum(increase(${counted}[1h])) * ${of}`,
    );
}

function money({ thresholds: { savings } }: DashboardsOptions): Row {
    const each = `sum(${rate(METRICS.lookups)}) / 1000`;
    return {
        id: 100,
        title: "Dollars",
        panels: [
            graph({
                id: 10,
                title: "Run rate a month",
                description: `Dollars in 30 days at the rate of the hours before, and the target of ${savings.dollarsPerMonth} $.`,
                unit: UNITS.dollars,
                width: 12,
                min: null,
                steps: goodFrom(savings.dollarsPerMonth),
                queries: [
                    query(SERIES.savedPerMonth, "saved"),
                    query(SERIES.netSavedPerMonth, "net"),
                ],
            }),
            graph({
                id: 11,
                title: "Net",
                description:
                    "Dollars an hour: what is saved, and what is left of it after the cache's own cost.",
                unit: UNITS.dollarsPerHour,
                width: 12,
                min: null,
                queries: [
                    query(`${SERIES.saved} * ${HOUR}`, "saved"),
                    query(`${SERIES.netSaved} * ${HOUR}`, "net"),
                ],
            }),
            graph({
                id: 12,
                title: "Saved by result",
                description: "Dollars an hour, by the cache that answered.",
                unit: UNITS.dollarsPerHour,
                width: 8,
                stacked: true,
                queries: [query(hourly("result", SAVED), "{{result}}")],
            }),
            graph({
                id: 13,
                title: "Billed by purpose",
                description:
                    "Dollars an hour. request: misses, which cost the same without a cache; refresh and warmup are the " +
                    "cache's own.",
                unit: UNITS.dollarsPerHour,
                width: 8,
                stacked: true,
                queries: [query(hourly("purpose", BILLED), "{{purpose}}")],
            }),
            graph({
                id: 14,
                title: "Overheads",
                description:
                    "Dollars an hour that pods and storage cost, as the stack's config says.",
                unit: UNITS.dollarsPerHour,
                width: 8,
                stacked: true,
                stepped: true,
                queries: [query(PODS, "pods"), query(STORAGE, "storage")],
            }),
            graph({
                id: 15,
                title: "A thousand lookups cost",
                description: "Dollars, all included, beside what they would cost without a cache.",
                unit: UNITS.dollars,
                width: 12,
                queries: [
                    query(
                        `(sum(${rate(METRICS.costBilled)}) + (${PODS} + ${STORAGE}) / ${HOUR}) / (${each})`,
                        "with the cache",
                    ),
                    query(
                        `(sum(${rate(METRICS.costSaved)}) + sum(${rate(`${METRICS.costBilled}{purpose="request"}`)})) / (${each})`,
                        "without",
                    ),
                ],
            }),
            graph({
                id: 16,
                title: "Cut of the bill",
                description:
                    "Of dollars and of tokens: what caches answered over all that was asked.",
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

function tokens(): Row {
    const by = (label: string, counter: string) =>
        query(`sum by (${label}) (${rate(`${counter}{${CHOSEN}}`)})`, `{{${label}}}`);
    return {
        id: 101,
        title: "Tokens",
        panels: [
            graph({
                id: 20,
                title: "Tokens saved",
                description: "By the cache that answered, as the upstream would have counted them.",
                unit: UNITS.tokensPerSecond,
                width: 12,
                stacked: true,
                queries: [by("result", METRICS.tokensSaved)],
            }),
            graph({
                id: 21,
                title: "Tokens billed",
                description: "By what they were asked for.",
                unit: UNITS.tokensPerSecond,
                width: 12,
                stacked: true,
                queries: [by("purpose", METRICS.tokensBilled)],
            }),
        ],
    };
}

function tenants(): Row {
    const most = (label: string, series: string) =>
        query(`topk(10, ${hourly(label, series)})`, `{{${label}}}`);
    const dollars = { unit: UNITS.dollarsPerHour, width: 8 } as const;
    const each = (label: string, series: string) => `sum by (${label}) (${increase(series)})`;
    return {
        id: 102,
        title: "Tenants and models",
        panels: [
            graph({
                ...dollars,
                id: 30,
                title: "Saved by tenant",
                description: "Dollars an hour of the ten that save most.",
                queries: [most("tenant", SAVED)],
            }),
            graph({
                ...dollars,
                id: 31,
                title: "Billed by tenant",
                description: "Dollars an hour of the ten that spend most.",
                queries: [most("tenant", BILLED)],
            }),
            graph({
                ...dollars,
                id: 32,
                title: "Saved by model",
                description: "Dollars an hour.",
                queries: [most("model", SAVED)],
            }),
            table({
                id: 33,
                title: "Tenants in the shown time",
                description:
                    "Dollars and tokens of each tenant. Those beyond a pod's first 500 stand together as others.",
                unit: UNITS.count,
                width: 24,
                queries: [
                    query(each("tenant", SAVED), "saved"),
                    query(each("tenant", BILLED), "billed"),
                    query(
                        `${each("tenant", SAVED)} / (${each("tenant", SAVED)} + ${each("tenant", ASKED)} > 0)`,
                        "cut",
                    ),
                    query(each("tenant", `${METRICS.tokensSaved}{${CHOSEN}}`), "tokens saved"),
                    query(each("tenant", `${METRICS.tokensBilled}{${CHOSEN}}`), "tokens billed"),
                ],
                columns: [
                    { field: "tenant", title: "Tenant" },
                    { field: "Value #A", title: "Saved", unit: UNITS.dollars },
                    { field: "Value #B", title: "Billed", unit: UNITS.dollars },
                    { field: "Value #C", title: "Cut", unit: UNITS.ratio },
                    { field: "Value #D", title: "Tokens saved", unit: UNITS.count },
                    { field: "Value #E", title: "Tokens billed", unit: UNITS.count },
                ],
                hidden: [],
            }),
        ],
    };
}

function hourly(by: string, series: string): string {
    return `sum by (${by}) (${rate(series)}) * ${HOUR}`;
}
