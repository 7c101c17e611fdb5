import { RESPONSE_TIME_BUCKETS } from "@property-search/contract";
import {
    isWholeMinutes,
    MAX_WINDOW_HOURS,
    type AlertThresholds,
} from "../components/monitoring/alerts/thresholds.ts";
import type { AlertReceivers } from "../components/monitoring/receivers.ts";
import { SLACK_URL } from "./alertReceivers.ts";
import { CHANNEL, ENDPOINT } from "./allowed.ts";
import type { ConfigReader } from "./reader.ts";

const FEWEST_HOURS = 0.1;

export function readReceivers(read: ConfigReader, slack: boolean): AlertReceivers {
    const channel = slack
        ? read.required("alerts.slackChannel", CHANNEL, `${SLACK_URL} is set`)
        : read.optional("alerts.slackChannel", CHANNEL);
    return {
        slackChannel: slack ? channel : undefined,
        slackCriticalChannel: read.optional("alerts.slackCriticalChannel", CHANNEL),
        webhookUrl: read.optional("alerts.webhookUrl", ENDPOINT),
        watchdogUrl: read.optional("alerts.watchdogUrl", ENDPOINT),
    };
}

/** @param jobs what the stack scrapes beside the service. */
export function readThresholds(read: ConfigReader, jobs: AlertThresholds["jobs"]): AlertThresholds {
    const percent = (key: string) => read.integer(`alerts.${key}`, 1, 99);
    const objective = (key: string) => read.decimal(`alerts.${key}`, 1, 99.99);
    const thresholds = {
        hitRatePercent: {
            warning: percent("hitRateWarningPercent"),
            critical: percent("hitRateCriticalPercent"),
        },
        minRequestsPerSecond: read.decimal("alerts.minRequestsPerSecond", 0.01, 10_000),
        p95Seconds: read.decimal("alerts.latencySeconds", 0.001, 10),
        errorPercent: percent("errorPercent"),
        upstreamErrorPercent: percent("upstreamErrorPercent"),
        savings: {
            dollarsPerMonth: read.decimal("alerts.monthlySavingsDollars", 0.01, 1_000_000_000),
            windowHours: read.decimal("alerts.savingsWindowHours", FEWEST_HOURS, MAX_WINDOW_HOURS),
            dataHours: read.decimal("alerts.savingsDataHours", FEWEST_HOURS, MAX_WINDOW_HOURS),
        },
        objectives: {
            availabilityPercent: objective("availabilityObjectivePercent"),
            latencyPercent: objective("latencyObjectivePercent"),
            latencySeconds: read.decimal("alerts.latencyObjectiveSeconds", 0.0001, 10),
        },
        redis: {
            memoryPercent: percent("redisMemoryPercent"),
            evictionsPerSecond: read.decimal("alerts.redisEvictionsPerSecond", 0.01, 1_000_000),
        },
        certificateDays: {
            warning: read.integer("alerts.certificateWarningDays", 1, 365),
            critical: read.integer("alerts.certificateCriticalDays", 1, 365),
        },
        jobs,
    };
    const { hitRatePercent, savings, certificateDays, objectives } = thresholds;
    below(read, ["hitRate", "Percent"], hitRatePercent);
    below(read, ["certificate", "Days"], certificateDays);
    wholeMinutes(read, "alerts.savingsWindowHours", savings.windowHours);
    wholeMinutes(read, "alerts.savingsDataHours", savings.dataHours);
    if (savings.dataHours > savings.windowHours) {
        read.addError(
            "alerts.savingsDataHours",
            `is ${savings.dataHours}; allowed: no more than alerts.savingsWindowHours (${savings.windowHours})`,
        );
    }
    const { latencySeconds } = objectives;
    const isEdge = RESPONSE_TIME_BUCKETS.some((edge) => edge === latencySeconds);
    if (!isEdge && !Number.isNaN(latencySeconds)) {
        read.addError(
            "alerts.latencyObjectiveSeconds",
            `is ${latencySeconds}; allowed: a bucket bound of the histogram: ${RESPONSE_TIME_BUCKETS.join(", ")}`,
        );
    }
    return thresholds;
}

/** Both ask for more of what is good: the critical bound lies below that of the warning. */
function below(
    read: ConfigReader,
    [subject, unit]: readonly [string, string],
    { warning, critical }: Readonly<Record<"warning" | "critical", number>>,
): void {
    if (critical >= warning) {
        read.addError(
            `alerts.${subject}Critical${unit}`,
            `is ${critical}; allowed: less than alerts.${subject}Warning${unit} (${warning})`,
        );
    }
}

function wholeMinutes(read: ConfigReader, key: string, hours: number): void {
    // A number that is none was refused already.
    if (Number.isNaN(hours) || isWholeMinutes(hours)) return;
    read.addError(key, `is ${hours}; allowed: hours of whole minutes, such as 0.1, 0.25 or 24`);
}
