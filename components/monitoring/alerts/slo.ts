import {
    objectiveErrorRatio,
    SERIES,
    type Objective,
    type ObjectiveWindow,
} from "@property-search/contract";
import { shareOf } from "./recording.ts";
import { alert, type Alert } from "./rules.ts";
import { OF_SERVICE } from "./subjects.ts";
import type { AlertThresholds } from "./thresholds.ts";

interface Burn {
    readonly short: ObjectiveWindow;
    readonly long: ObjectiveWindow;
    /** Times the pace that uses the budget up in exactly seven days. */
    readonly pace: number;
}

/**
 * Each long window at its pace uses 8, 12.5, 20 and 42 % of a week's budget (Sloth's shares for seven
 * days); the short one ends the alert soon after the burn ends.
 */
const FAST: readonly Burn[] = [
    { short: "5m", long: "1h", pace: 13.44 },
    { short: "30m", long: "6h", pace: 3.5 },
];
const SLOW: readonly Burn[] = [
    { short: "2h", long: "1d", pace: 1.4 },
    { short: "6h", long: "3d", pace: 0.98 },
];

/** Users' view of both colours together, over seven days: a budget of bad requests, and how fast it goes. */
export function objectiveAlerts({ objectives, trafficPerSecond }: AlertThresholds): Alert[] {
    const { availabilityPercent, latencyPercent, latencySeconds } = objectives;
    return [
        ...burnAlerts({
            name: "Availability",
            objective: "availability",
            percent: availabilityPercent,
            requests: SERIES.requests.service,
            trafficPerSecond,
            bad: "fail",
        }),
        ...burnAlerts({
            name: "Latency",
            objective: "latency",
            percent: latencyPercent,
            requests: SERIES.successfulRequests,
            trafficPerSecond,
            bad: `take longer than ${latencySeconds} s`,
        }),
    ];
}

interface BurnArgs {
    readonly name: string;
    readonly objective: Objective;
    readonly percent: number;
    /** Series of all requests that the objective is about. */
    readonly requests: string;
    readonly trafficPerSecond: number;
    readonly bad: string;
}

function burnAlerts(args: BurnArgs): Alert[] {
    const { name, objective, percent, requests, trafficPerSecond, bad } = args;
    const budget = 100 - percent;
    const burns = ({ short, long, pace }: Burn) => {
        const limit = shareOf(budget * pace);
        return `(${objectiveErrorRatio(objective, long)} > ${limit} and ${objectiveErrorRatio(objective, short)} > ${limit}
                 and avg_over_time(${requests}[${long}]) > ${trafficPerSecond})`;
    };
    const either = (pairs: readonly Burn[]) => pairs.map(burns).join(" or ");
    const description = `{{ $value | humanizePercentage }} of the requests ${bad}, where ${percent} % over seven days may not.
        At this pace the week's budget is gone`;
    return [
        alert(`Embedding${name}BurnFast`, {
            ...OF_SERVICE,
            topic: `objective-${objective}`,
            expr: either(FAST),
            severity: "critical",
            summary: `The week's budget for requests that ${bad} is used up within two days`,
            description: `${description} within two days.`,
        }),
        alert(`Embedding${name}BurnSlow`, {
            ...OF_SERVICE,
            topic: `objective-${objective}`,
            expr: either(SLOW),
            severity: "warning",
            summary: `The week's budget for requests that ${bad} is used up before the week is`,
            description: `${description} before the week is.`,
        }),
    ];
}
