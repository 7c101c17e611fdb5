import type { AlertThresholds } from "../components/monitoring/alerts/thresholds.ts";
import type { AlertReceivers } from "../components/monitoring/receivers.ts";
import type { ConfigReader } from "./reader.ts";

export function readReceivers(read: ConfigReader): AlertReceivers {
    const { slackUrl, slackChannel, slackCriticalChannel, webhookUrl, watchdogUrl } =
        read.group("alerts");
    if (slackUrl !== undefined) read.required("alerts.slackChannel", "alerts.slackUrl is set");
    return {
        slackChannel: slackUrl === undefined ? undefined : slackChannel,
        slackCriticalChannel,
        webhookUrl,
        watchdogUrl,
    };
}

/** @param jobs what the stack scrapes beside the service. */
export function readThresholds(read: ConfigReader, jobs: AlertThresholds["jobs"]): AlertThresholds {
    const set = read.group("alerts");
    const thresholds = {
        hitRatePercent: {
            warning: set.hitRateWarningPercent,
            critical: set.hitRateCriticalPercent,
        },
        minRequestsPerSecond: set.minRequestsPerSecond,
        p95Seconds: set.latencySeconds,
        errorPercent: set.errorPercent,
        upstreamErrorPercent: set.upstreamErrorPercent,
        savings: {
            dollarsPerMonth: set.monthlySavingsDollars,
            windowHours: set.savingsWindowHours,
            dataHours: set.savingsDataHours,
        },
        objectives: {
            availabilityPercent: set.availabilityObjectivePercent,
            latencyPercent: set.latencyObjectivePercent,
            latencySeconds: set.latencyObjectiveSeconds,
        },
        redis: {
            memoryPercent: set.redisMemoryPercent,
            evictionsPerSecond: set.redisEvictionsPerSecond,
        },
        certificateDays: {
            warning: set.certificateWarningDays,
            critical: set.certificateCriticalDays,
        },
        jobs,
    };
    const { hitRatePercent, savings, certificateDays } = thresholds;
    below(read, ["hitRate", "Percent"], hitRatePercent);
    below(read, ["certificate", "Days"], certificateDays);
    if (savings.dataHours > savings.windowHours) {
        read.addError(
            "alerts.savingsDataHours",
            `is ${savings.dataHours}; allowed: no more than alerts.savingsWindowHours (${savings.windowHours})`,
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
