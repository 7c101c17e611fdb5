import {
    objectiveErrorRatio,
    SERIES,
    type Objective,
    type ObjectiveWindow,
} from "@property-search/contract";
import { percentToRatio } from "./recording.ts";
import { alert, type Alert } from "./rules.ts";
import { SERVICE_LABELS } from "./subjects.ts";
import type { AlertThresholds } from "./thresholds.ts";

interface BurnWindows {
    readonly short: ObjectiveWindow;
    readonly long: ObjectiveWindow;
    /** Multiple of the rate that consumes the budget in exactly seven days. */
    readonly burnRate: number;
}

/**
 * Multiwindow, multi-burn-rate alerts. The long windows consume 8, 12.5, 20 and 42 % of a week's budget (Sloth's
 * values for seven days); the short windows resolve the alert soon after the burn ends.
 */
const FAST: readonly BurnWindows[] = [
    { short: "5m", long: "1h", burnRate: 13.44 },
    { short: "30m", long: "6h", burnRate: 3.5 },
];
const SLOW: readonly BurnWindows[] = [
    { short: "2h", long: "1d", burnRate: 1.4 },
    { short: "6h", long: "3d", burnRate: 0.98 },
];

/** Alerts on the burn rate of the error budgets over seven days, for both colours together. */
export function objectiveAlerts({
    availabilityObjectivePercent,
    latencyObjectivePercent,
    latencyObjectiveSeconds,
    minRequestsPerSecond,
}: AlertThresholds): Alert[] {
    return [
        ...burnAlerts({
            name: "Availability",
            objective: "availability",
            percent: availabilityObjectivePercent,
            requests: SERIES.requests.service,
            minRequestsPerSecond,
            badOutcome: "fail",
        }),
        ...burnAlerts({
            name: "Latency",
            objective: "latency",
            percent: latencyObjectivePercent,
            requests: SERIES.successfulRequests,
            minRequestsPerSecond,
            badOutcome: `take longer than ${latencyObjectiveSeconds} s`,
        }),
    ];
}

interface BurnArgs {
    readonly name: string;
    readonly objective: Objective;
    readonly percent: number;
    /** Series of all requests that the objective covers. */
    readonly requests: string;
    readonly minRequestsPerSecond: number;
    /** Verb phrase for a request that misses the objective. */
    readonly badOutcome: string;
}

function burnAlerts(args: BurnArgs): Alert[] {
    const { name, objective, percent, requests, minRequestsPerSecond, badOutcome } = args;
    const budget = 100 - percent;
    const isBurning = ({ short, long, burnRate }: BurnWindows) => {
        const limit = percentToRatio(budget * burnRate);
        return `(${objectiveErrorRatio(objective, long)} > ${limit} and ${objectiveErrorRatio(objective, short)} > ${limit}
                 and avg_over_time(${requests}[${long}]) > ${minRequestsPerSecond})`;
    };
    const anyBurning = (pairs: readonly BurnWindows[]) => pairs.map(isBurning).join(" or ");
    const description = `{{ $value | humanizePercentage }} of the requests ${badOutcome}; the objective is ${percent} % good requests
        over seven days. At this rate the weekly error budget is exhausted`;
    return [
        alert(`Embedding${name}BurnFast`, {
            ...SERVICE_LABELS,
            topic: `objective-${objective}`,
            expr: anyBurning(FAST),
            severity: "critical",
            summary: `The weekly error budget for requests that ${badOutcome} will be exhausted within two days`,
            description: `${description} within two days.`,
        }),
        alert(`Embedding${name}BurnSlow`, {
            ...SERVICE_LABELS,
            topic: `objective-${objective}`,
            expr: anyBurning(SLOW),
            severity: "warning",
            summary: `The weekly error budget for requests that ${badOutcome} will be exhausted before the week ends`,
            description: `${description} before the week ends.`,
        }),
    ];
}
