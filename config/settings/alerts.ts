import { integer, partsOf, setting, text } from "@property-search/contract/settings";
import {
    DEFAULT_THRESHOLDS as DEFAULTS,
    MAX_WINDOW_HOURS,
} from "../../components/monitoring/alerts/thresholds.ts";
import { CHANNEL, decimal, ENDPOINT, FOLDER_ADDRESS } from "../allowed.ts";
import { isNot, isSet, OUR_PROMETHEUS, SECRET, usedIf, WITH_HTTPS } from "./row.ts";

/** Network policies let Slack's notifications out on this port only. */
export const SLACK = text((value) => {
    const { scheme, port = "443" } = partsOf(value) ?? {};
    return scheme === "https" && port === "443" && ENDPOINT.fits(value);
}, "an https URL without credentials, on port 443");

const PERCENT = integer(1, 99);
const DAYS = integer(1, 365);
const OBJECTIVE = decimal(1, 99.99);
const HOURS = decimal(0.1, MAX_WINDOW_HOURS);

const BY_SLACK = usedIf(["alerts.slackUrl", isSet], OUR_PROMETHEUS);
const OF_OUR_REDIS = usedIf(["redis.mode", isNot("external")]);

export const ALERTS = {
    "alerts.slackUrl": setting(SLACK, "", SECRET)`
        URL of a Slack incoming webhook, set with --secret. Not set: Slack is not notified.`,
    "alerts.slackChannel": setting(CHANNEL, "", BY_SLACK)`
        Slack channel of the alerts. Required when alerts.slackUrl is set.`,
    "alerts.slackCriticalChannel": setting(CHANNEL, "", BY_SLACK)`
        Slack channel of critical alerts. Not set: alerts.slackChannel.`,
    "alerts.webhookUrl": setting(ENDPOINT, "")`
        URL that Alertmanager posts each notification to. Not set: none.`,
    "alerts.watchdogUrl": setting(ENDPOINT, "")`
        URL of a dead man's switch. The Watchdog alert is posted to it every minute, and it alerts when that stops. Not
        set: none.`,
    "alerts.runbookUrl": setting(FOLDER_ADDRESS, "")`
        URL of the directory with a page for each alert, without a trailing slash. Not set: the directory's path in the
        repository.`,
    "alerts.hitRateWarningPercent": setting(PERCENT, DEFAULTS.hitRateWarningPercent)`
        Hit rate of a colour below which there is a warning.`,
    "alerts.hitRateCriticalPercent": setting(PERCENT, DEFAULTS.hitRateCriticalPercent)`
        Hit rate of a colour below which there is a critical alert; below the warning's.`,
    "alerts.minRequestsPerSecond": setting(decimal(0.01, 10_000), DEFAULTS.minRequestsPerSecond)`
        Rate of lookups or requests below which hit rates and latencies are not evaluated.`,
    "alerts.latencySeconds": setting(decimal(0.001, 10), DEFAULTS.latencySeconds)`
        Highest allowed 95th percentile of the response time.`,
    "alerts.errorPercent": setting(PERCENT, DEFAULTS.errorPercent)`
        Highest allowed percentage of failed requests.`,
    "alerts.upstreamErrorPercent": setting(PERCENT, DEFAULTS.upstreamErrorPercent)`
        Highest allowed percentage of failed calls of an upstream endpoint.`,
    "alerts.monthlySavingsDollars": setting(
        decimal(0.01, 1_000_000_000),
        DEFAULTS.monthlySavingsDollars,
    )`
        Savings target for 30 days, after the costs of the cache.`,
    "alerts.savingsWindowHours": setting(HOURS, DEFAULTS.savingsWindowHours)`
        Hours whose savings are projected to 30 days.`,
    "alerts.savingsDataHours": setting(HOURS, DEFAULTS.savingsDataHours)`
        Hours of data that a projection needs; at most alerts.savingsWindowHours.`,
    "alerts.availabilityObjectivePercent": setting(
        OBJECTIVE,
        DEFAULTS.availabilityObjectivePercent,
    )`
        Objective for seven days: percentage of successful requests.`,
    "alerts.latencyObjectivePercent": setting(OBJECTIVE, DEFAULTS.latencyObjectivePercent)`
        Objective for seven days: percentage of responses within alerts.latencyObjectiveSeconds.`,
    "alerts.latencyObjectiveSeconds": setting(
        decimal(0.0001, 10),
        DEFAULTS.latencyObjectiveSeconds,
    )`
        Latency threshold of that objective; a bucket bound of the histogram, such as 0.1, 0.2, 0.5 or 1.`,
    "alerts.redisMemoryPercent": setting(PERCENT, DEFAULTS.redisMemoryPercent, OF_OUR_REDIS)`
        Percentage of Redis' data memory above which it counts as full.`,
    "alerts.redisEvictionsPerSecond": setting(
        decimal(0.01, 1_000_000),
        DEFAULTS.redisEvictionsPerSecond,
        OF_OUR_REDIS,
    )`
        Highest allowed rate of entries that Redis evicts because its memory is full.`,
    "alerts.certificateWarningDays": setting(DAYS, DEFAULTS.certificateWarningDays, WITH_HTTPS)`
        Days before a certificate expires from which on there is a warning.`,
    "alerts.certificateCriticalDays": setting(DAYS, DEFAULTS.certificateCriticalDays, WITH_HTTPS)`
        Days before a certificate expires from which on there is a critical alert; fewer than the warning's.`,
};
