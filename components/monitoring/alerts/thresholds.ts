import { JOBS, RESPONSE_TIME_BUCKETS } from "@property-search/contract";

type Job = (typeof JOBS)[keyof typeof JOBS];

/** From where on a figure is a trouble. Shares are in percent. */
export interface AlertThresholds {
    /** Hits of a colour below which it warns, and pages. */
    readonly hitRatePercent: { readonly warning: number; readonly critical: number };
    /** Lookups or requests a second below which shares and quantiles say nothing. */
    readonly trafficPerSecond: number;
    readonly p95Seconds: number;
    /** Requests of a colour that end in a 5xx. */
    readonly errorPercent: number;
    /** Attempts at an endpoint of the upstream that fail. */
    readonly upstreamErrorPercent: number;
    readonly savings: {
        /** What 30 days must save, net of what the cache costs. */
        readonly dollarsPerMonth: number;
        /** Hours that are projected to 30 days; 24 have every hour of the day once. */
        readonly windowHours: number;
        /** Hours of data in that window below which nothing is projected. */
        readonly dataHours: number;
    };
    /** Objectives over seven days, which 200 h of data hold. */
    readonly objectives: {
        readonly availabilityPercent: number;
        /** So many answers take `latencySeconds` at most, which is an edge of the histogram. */
        readonly latencyPercent: number;
        readonly latencySeconds: number;
    };
    readonly redis: {
        readonly memoryPercent: number;
        readonly evictionsPerSecond: number;
    };
    /** Days that a certificate is still valid. */
    readonly certificateDays: { readonly warning: number; readonly critical: number };
    /** Jobs that the stack scrapes beside the service: the absence of one is an alert. */
    readonly jobs: readonly Job[];
}

export const DEFAULT_THRESHOLDS: AlertThresholds = {
    hitRatePercent: { warning: 70, critical: 50 },
    trafficPerSecond: 0.5,
    p95Seconds: 0.5,
    errorPercent: 5,
    upstreamErrorPercent: 20,
    savings: { dollarsPerMonth: 100, windowHours: 24, dataHours: 6 },
    objectives: { availabilityPercent: 99.9, latencyPercent: 99, latencySeconds: 0.5 },
    redis: { memoryPercent: 95, evictionsPerSecond: 10 },
    certificateDays: { warning: 21, critical: 7 },
    jobs: [JOBS.redis, JOBS.kubeState, JOBS.prometheus, JOBS.alertmanager],
};

/** Prometheus keeps 200 h; what is projected from more than a week would lack its beginning. */
export const MOST_HOURS = 168;

/** @throws Error with every finding at once. */
export function checkThresholds(thresholds: AlertThresholds): void {
    const { hitRatePercent, savings, objectives, redis, certificateDays } = thresholds;
    const findings: string[] = [];
    const allow = (name: string, value: number, allowed: string, fine: boolean) => {
        if (!fine) findings.push(`${name} is ${value}; allowed: ${allowed}`);
    };
    const percent = (name: string, value: number) =>
        allow(name, value, "more than 0 and less than 100", value > 0 && value < 100);
    const positive = (name: string, value: number) =>
        allow(name, value, "more than 0", value > 0 && Number.isFinite(value));

    percent("hitRatePercent.warning", hitRatePercent.warning);
    percent("hitRatePercent.critical", hitRatePercent.critical);
    allow(
        "hitRatePercent.critical",
        hitRatePercent.critical,
        `less than hitRatePercent.warning (${hitRatePercent.warning})`,
        hitRatePercent.critical < hitRatePercent.warning,
    );
    positive("trafficPerSecond", thresholds.trafficPerSecond);
    positive("p95Seconds", thresholds.p95Seconds);
    percent("errorPercent", thresholds.errorPercent);
    percent("upstreamErrorPercent", thresholds.upstreamErrorPercent);
    positive("savings.dollarsPerMonth", savings.dollarsPerMonth);
    hours("savings.windowHours", savings.windowHours, MOST_HOURS, allow);
    hours("savings.dataHours", savings.dataHours, savings.windowHours, allow);
    percent("objectives.availabilityPercent", objectives.availabilityPercent);
    percent("objectives.latencyPercent", objectives.latencyPercent);
    allow(
        "objectives.latencySeconds",
        objectives.latencySeconds,
        `an edge of the histogram: ${RESPONSE_TIME_BUCKETS.join(", ")}`,
        RESPONSE_TIME_BUCKETS.some((edge) => edge === objectives.latencySeconds),
    );
    percent("redis.memoryPercent", redis.memoryPercent);
    positive("redis.evictionsPerSecond", redis.evictionsPerSecond);
    positive("certificateDays.critical", certificateDays.critical);
    allow(
        "certificateDays.warning",
        certificateDays.warning,
        `more than certificateDays.critical (${certificateDays.critical})`,
        certificateDays.warning > certificateDays.critical,
    );
    allow("jobs", thresholds.jobs.length, "1 or more", thresholds.jobs.length > 0);
    if (findings.length > 0) throw new Error(`thresholds: ${findings.join("; ")}`);
}

/** A window in hours becomes a duration of whole minutes, of which a rate's five are the least. */
function hours(
    name: string,
    value: number,
    most: number,
    allow: (name: string, value: number, allowed: string, fine: boolean) => void,
): void {
    const fine = value * 60 >= 5 && value <= most && areWholeMinutes(value);
    allow(name, value, `5 minutes to ${most} hours, in whole minutes`, fine);
}

/** Whether hours are written in minutes, the least of a rule's durations. */
export function areWholeMinutes(hours: number): boolean {
    const minutes = hours * 60;
    return Math.abs(minutes - Math.round(minutes)) < 1e-6;
}
