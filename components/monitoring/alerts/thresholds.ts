import { JOBS, RESPONSE_TIME_BUCKETS } from "@property-search/contract";

type Job = (typeof JOBS)[keyof typeof JOBS];

/** Values beyond which alerts fire. */
export interface AlertThresholds {
    /** Hit rate of a colour below which alerts warn and page. */
    readonly hitRatePercent: { readonly warning: number; readonly critical: number };
    /** Lookups or requests per second below which ratios and quantiles are ignored. */
    readonly minRequestsPerSecond: number;
    readonly p95Seconds: number;
    /** Percentage of a colour's requests that end in a 5xx. */
    readonly errorPercent: number;
    /** Percentage of failed attempts at an upstream endpoint. */
    readonly upstreamErrorPercent: number;
    readonly savings: {
        /** Target for the savings of 30 days, net of the cache's own cost. */
        readonly dollarsPerMonth: number;
        /** Window that is projected to 30 days; 24 hours contain every hour of the day once. */
        readonly windowHours: number;
        /** Minimum hours of data in that window for a projection. */
        readonly dataHours: number;
    };
    /** Objectives over seven days, within the 200 hours of retention. */
    readonly objectives: {
        readonly availabilityPercent: number;
        /** Percentage of responses that take at most `latencySeconds`. */
        readonly latencyPercent: number;
        /** A bucket bound of the response time histogram. */
        readonly latencySeconds: number;
    };
    readonly redis: {
        readonly memoryPercent: number;
        readonly evictionsPerSecond: number;
    };
    /** Days until a certificate expires. */
    readonly certificateDays: { readonly warning: number; readonly critical: number };
    /** Jobs that the stack scrapes in addition to the service; an alert fires if one has no target. */
    readonly jobs: readonly Job[];
}

export const DEFAULT_THRESHOLDS: AlertThresholds = {
    hitRatePercent: { warning: 70, critical: 50 },
    minRequestsPerSecond: 0.5,
    p95Seconds: 0.5,
    errorPercent: 5,
    upstreamErrorPercent: 20,
    savings: { dollarsPerMonth: 100, windowHours: 24, dataHours: 6 },
    objectives: { availabilityPercent: 99.9, latencyPercent: 99, latencySeconds: 0.5 },
    redis: { memoryPercent: 95, evictionsPerSecond: 10 },
    certificateDays: { warning: 21, critical: 7 },
    jobs: [JOBS.redis, JOBS.kubeState, JOBS.prometheus, JOBS.alertmanager],
};

/** Longest window: a week, within the 200 hours of retention. */
export const MAX_WINDOW_HOURS = 168;

/** @throws Error that lists all problems */
export function checkThresholds(thresholds: AlertThresholds): void {
    const { hitRatePercent, savings, objectives, redis, certificateDays } = thresholds;
    const problems: string[] = [];
    const check = (name: string, value: number, allowed: string, isValid: boolean) => {
        if (!isValid) problems.push(`${name} is ${value}; allowed: ${allowed}`);
    };
    const percent = (name: string, value: number) =>
        check(name, value, "more than 0 and less than 100", value > 0 && value < 100);
    const positive = (name: string, value: number) =>
        check(name, value, "more than 0", value > 0 && Number.isFinite(value));

    percent("hitRatePercent.warning", hitRatePercent.warning);
    percent("hitRatePercent.critical", hitRatePercent.critical);
    check(
        "hitRatePercent.critical",
        hitRatePercent.critical,
        `less than hitRatePercent.warning (${hitRatePercent.warning})`,
        hitRatePercent.critical < hitRatePercent.warning,
    );
    positive("minRequestsPerSecond", thresholds.minRequestsPerSecond);
    positive("p95Seconds", thresholds.p95Seconds);
    percent("errorPercent", thresholds.errorPercent);
    percent("upstreamErrorPercent", thresholds.upstreamErrorPercent);
    positive("savings.dollarsPerMonth", savings.dollarsPerMonth);
    checkHours("savings.windowHours", savings.windowHours, MAX_WINDOW_HOURS, check);
    checkHours("savings.dataHours", savings.dataHours, savings.windowHours, check);
    percent("objectives.availabilityPercent", objectives.availabilityPercent);
    percent("objectives.latencyPercent", objectives.latencyPercent);
    check(
        "objectives.latencySeconds",
        objectives.latencySeconds,
        `a bucket bound of the histogram: ${RESPONSE_TIME_BUCKETS.join(", ")}`,
        RESPONSE_TIME_BUCKETS.some((bound) => bound === objectives.latencySeconds),
    );
    percent("redis.memoryPercent", redis.memoryPercent);
    positive("redis.evictionsPerSecond", redis.evictionsPerSecond);
    positive("certificateDays.critical", certificateDays.critical);
    check(
        "certificateDays.warning",
        certificateDays.warning,
        `more than certificateDays.critical (${certificateDays.critical})`,
        certificateDays.warning > certificateDays.critical,
    );
    check("jobs", thresholds.jobs.length, "1 or more", thresholds.jobs.length > 0);
    if (problems.length > 0) throw new Error(`thresholds: ${problems.join("; ")}`);
}

/** A window becomes a duration in whole minutes, at least the five minutes of a rate. */
function checkHours(
    name: string,
    value: number,
    max: number,
    check: (name: string, value: number, allowed: string, isValid: boolean) => void,
): void {
    const isValid = value * 60 >= 5 && value <= max && isWholeMinutes(value);
    check(name, value, `5 minutes to ${max} hours, in whole minutes`, isValid);
}

/** @returns whether the hours are a whole number of minutes, the precision of a rule's durations. */
export function isWholeMinutes(hours: number): boolean {
    const minutes = hours * 60;
    return Math.abs(minutes - Math.round(minutes)) < 1e-6;
}
