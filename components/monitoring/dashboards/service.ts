import { SERIES } from "@property-search/contract";
import { dashboard } from "./dashboard.ts";
import { shareOf } from "../alerts/recording.ts";
import type { DashboardsOptions } from "./options.ts";
import { goodBelow, goodFrom } from "./palette.ts";
import { stat } from "./panels.ts";
import { ifAny, query } from "./queries.ts";
import { alerting } from "./rows/alerting.ts";
import { answers } from "./rows/answers.ts";
import { pods } from "./rows/pods.ts";
import { upstream } from "./rows/upstream.ts";
import { UNITS } from "./units.ts";
import { whoServes } from "./whoServes.ts";

const FIRING = 'ALERTS{alertstate="firing",severity=~"critical|warning"}';

/** For whoever is on call: is it healthy, who serves, what do we save. */
export function serviceDashboard(options: DashboardsOptions): object {
    return dashboard({
        uid: "property-search-service",
        title: "Service",
        description: "Is it healthy, who serves, and what do we save?",
        from: "now-3h",
        rows: [
            { panels: glance(options) },
            answers(options),
            upstream(options),
            pods(options),
            alerting(options),
        ],
    });
}

function glance({ thresholds }: DashboardsOptions) {
    const { hitRatePercent, errorPercent, p95Seconds, savings } = thresholds;
    return [
        whoServes(5),
        stat({
            id: 2,
            title: "Requests",
            description: "Requests a second that reach the pods, of both colours.",
            unit: UNITS.requestsPerSecond,
            width: 3,
            queries: [query(SERIES.requests.service, "requests")],
        }),
        stat({
            id: 3,
            title: "Errors",
            description: "Share of requests that end in a 5xx. Refusals (4xx) are not errors.",
            unit: UNITS.ratio,
            width: 3,
            absent: "idle",
            steps: goodBelow(
                shareOf(100 - thresholds.objectives.availabilityPercent),
                shareOf(errorPercent),
            ),
            queries: [query(SERIES.errorRatio.service, "errors")],
        }),
        stat({
            id: 4,
            title: "Hit rate",
            description:
                "Items of the last five minutes that a cache answered, over all that were looked up.",
            unit: UNITS.ratio,
            width: 3,
            absent: "idle",
            decimals: 1,
            steps: goodFrom(shareOf(hitRatePercent.warning), shareOf(hitRatePercent.critical)),
            queries: [query(SERIES.hitRatio.service, "hits")],
        }),
        stat({
            id: 5,
            title: "p95",
            description: "95 of 100 requests of the last five minutes took no longer.",
            unit: UNITS.seconds,
            width: 3,
            absent: "idle",
            steps: goodBelow(p95Seconds),
            queries: [query(ifAny(SERIES.p95.service), "p95")],
        }),
        stat({
            id: 6,
            title: "Saved a month",
            description:
                `Dollars in 30 days at the mean rate of the last ${savings.windowHours} hours, less what the ` +
                `cache itself costs. The target is ${savings.dollarsPerMonth} $.`,
            unit: UNITS.dollars,
            width: 4,
            steps: goodFrom(savings.dollarsPerMonth),
            queries: [query(SERIES.netSavedPerMonth, "saved")],
        }),
        stat({
            id: 7,
            title: "Alerts",
            description: "Alerts that fire now and that somebody should act on; below is the list.",
            unit: UNITS.count,
            width: 3,
            loud: true,
            steps: goodBelow(1),
            queries: [query(`count(${FIRING}) or vector(0)`, "firing")],
        }),
    ];
}
