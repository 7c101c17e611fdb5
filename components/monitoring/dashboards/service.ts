import { SERIES } from "@property-search/contract";
import { createDashboard } from "./dashboard.ts";
import { percentToRatio } from "../alerts/recording.ts";
import type { DashboardsOptions } from "./options.ts";
import { lowIsGood, highIsGood } from "./palette.ts";
import { statPanel } from "./panels.ts";
import { withoutNaN, query } from "./queries.ts";
import { alertsRow } from "./rows/alerts.ts";
import { missesRow } from "./rows/misses.ts";
import { podsRow } from "./rows/pods.ts";
import { responsesRow } from "./rows/responses.ts";
import { semanticRow } from "./rows/semantic.ts";
import { upstreamRow } from "./rows/upstream.ts";
import { trafficSplitPanel } from "./trafficSplit.ts";
import { UNITS } from "./units.ts";

const FIRING = 'ALERTS{alertstate="firing",severity=~"critical|warning"}';

/** For the engineer on call: health, traffic split and savings. */
export function serviceDashboard(options: DashboardsOptions): object {
    return createDashboard({
        uid: "property-search-service",
        title: "Service",
        description: "Health, traffic split and savings of the embedding service.",
        from: "now-3h",
        rows: [
            { panels: summaryPanels(options) },
            responsesRow(options),
            missesRow(),
            upstreamRow(options),
            semanticRow(),
            podsRow(options),
            alertsRow(options),
        ],
    });
}

function summaryPanels({ thresholds }: DashboardsOptions) {
    const {
        hitRateWarningPercent,
        hitRateCriticalPercent,
        errorPercent,
        latencySeconds,
        savingsWindowHours,
        monthlySavingsDollars,
    } = thresholds;
    return [
        trafficSplitPanel(5),
        statPanel({
            id: 2,
            title: "Requests",
            description: "Requests per second that reach the pods of both colours.",
            unit: UNITS.requestsPerSecond,
            width: 3,
            queries: [query(SERIES.requests.service, "requests")],
        }),
        statPanel({
            id: 3,
            title: "Errors",
            description:
                "Ratio of requests that end in a 5xx. Client errors (4xx) are not counted.",
            unit: UNITS.ratio,
            width: 3,
            noValue: "idle",
            steps: lowIsGood(
                percentToRatio(100 - thresholds.availabilityObjectivePercent),
                percentToRatio(errorPercent),
            ),
            queries: [query(SERIES.errorRatio.service, "errors")],
        }),
        statPanel({
            id: 4,
            title: "Hit rate",
            description: "Cache hits over lookups of the last five minutes.",
            unit: UNITS.ratio,
            width: 3,
            noValue: "idle",
            decimals: 1,
            steps: highIsGood(
                percentToRatio(hitRateWarningPercent),
                percentToRatio(hitRateCriticalPercent),
            ),
            queries: [query(SERIES.hitRatio.service, "hits")],
        }),
        statPanel({
            id: 5,
            title: "p95",
            description: "95th percentile of the response time over the last five minutes.",
            unit: UNITS.seconds,
            width: 3,
            noValue: "idle",
            steps: lowIsGood(latencySeconds),
            queries: [query(withoutNaN(SERIES.p95.service), "p95")],
        }),
        statPanel({
            id: 6,
            title: "Saved per month",
            description:
                `Dollars in 30 days at the mean rate of the last ${savingsWindowHours} hours, net of the ` +
                `cache's own cost. The target is $${monthlySavingsDollars}.`,
            unit: UNITS.dollars,
            width: 4,
            steps: highIsGood(monthlySavingsDollars),
            queries: [query(SERIES.netSavedPerMonth, "saved")],
        }),
        statPanel({
            id: 7,
            title: "Alerts",
            description: "Firing critical and warning alerts, which are listed below.",
            unit: UNITS.count,
            width: 3,
            colourBackground: true,
            steps: lowIsGood(1),
            queries: [query(`count(${FIRING}) or vector(0)`, "firing")],
        }),
    ];
}
