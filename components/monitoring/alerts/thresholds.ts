import { JOBS, RESPONSE_TIME_BUCKETS } from "@property-search/contract";

type Job = (typeof JOBS)[keyof typeof JOBS];

/** Values beyond which alerts fire. */
export interface AlertThresholds {
    /** Hit rate of a colour below which an alert warns. */
    readonly hitRateWarningPercent: number;
    /** Hit rate of a colour below which an alert pages. */
    readonly hitRateCriticalPercent: number;
    /** Lookups or requests per second below which ratios and quantiles are ignored. */
    readonly minRequestsPerSecond: number;
    /** 95th percentile of the response time. */
    readonly latencySeconds: number;
    /** Percentage of a colour's requests that end in a 5xx. */
    readonly errorPercent: number;
    /** Percentage of failed attempts at an upstream endpoint. */
    readonly upstreamErrorPercent: number;
    /** Target for the savings of 30 days, net of the cache's own cost. */
    readonly monthlySavingsDollars: number;
    /** Window that is projected to 30 days; 24 hours contain every hour of the day once. */
    readonly savingsWindowHours: number;
    /** Minimum hours of data in that window for a projection. */
    readonly savingsDataHours: number;
    /** Objective over seven days, within the 200 hours of retention. */
    readonly availabilityObjectivePercent: number;
    /** Percentage of responses that take at most `latencyObjectiveSeconds`. */
    readonly latencyObjectivePercent: number;
    /** A bucket bound of the response time histogram. */
    readonly latencyObjectiveSeconds: number;
    /** Percentage of Redis' data memory. */
    readonly redisMemoryPercent: number;
    /** Entries per second that Redis evicts. */
    readonly redisEvictionsPerSecond: number;
    /** Days until a certificate expires, for a warning. */
    readonly certificateWarningDays: number;
    /** Days until a certificate expires, for a page. */
    readonly certificateCriticalDays: number;
    /** Jobs that the stack scrapes in addition to the service; an alert fires if one has no target. */
    readonly jobs: readonly Job[];
}

export const DEFAULT_THRESHOLDS: AlertThresholds = {
    hitRateWarningPercent: 70,
    hitRateCriticalPercent: 50,
    minRequestsPerSecond: 0.5,
    latencySeconds: 0.5,
    errorPercent: 5,
    upstreamErrorPercent: 20,
    monthlySavingsDollars: 100,
    savingsWindowHours: 24,
    savingsDataHours: 6,
    availabilityObjectivePercent: 99.9,
    latencyObjectivePercent: 99,
    latencyObjectiveSeconds: 0.5,
    redisMemoryPercent: 95,
    redisEvictionsPerSecond: 10,
    certificateWarningDays: 21,
    certificateCriticalDays: 7,
    jobs: [JOBS.redis, JOBS.kubeState, JOBS.prometheus, JOBS.alertmanager],
};

/** Longest window: a week, within the 200 hours of retention. */
export const MAX_WINDOW_HOURS = 168;

/**
 * The thresholds that no rule can have, each with words that follow its name.
 *
 * @param prefix what precedes the names of other thresholds in the words.
 */
export function thresholdErrors(
    thresholds: AlertThresholds,
    prefix = "",
): readonly (readonly [name: string, words: string])[] {
    const { jobs, ...numbers } = thresholds;
    const less = (name: keyof typeof numbers, than: keyof typeof numbers) =>
        [
            name,
            `less than ${prefix}${than} (${numbers[than]})`,
            numbers[name] < numbers[than],
        ] as const;
    const window = (name: "savingsWindowHours" | "savingsDataHours") => {
        const hours = numbers[name];
        const isValid = hours * 60 >= 5 && hours <= MAX_WINDOW_HOURS && isWholeMinutes(hours);
        return [name, `5 minutes to ${MAX_WINDOW_HOURS} hours, in whole minutes`, isValid] as const;
    };
    const { savingsDataHours, savingsWindowHours, latencyObjectiveSeconds } = numbers;
    const values: Readonly<Record<string, number>> = { ...numbers, jobs: jobs.length };
    const checks: readonly (readonly [name: string, allowed: string, isValid: boolean])[] = [
        ...Object.entries(numbers).map(([name, value]) =>
            name.endsWith("Percent")
                ? ([name, "more than 0 and less than 100", value > 0 && value < 100] as const)
                : ([name, "more than 0", value > 0 && Number.isFinite(value)] as const),
        ),
        less("hitRateCriticalPercent", "hitRateWarningPercent"),
        less("certificateCriticalDays", "certificateWarningDays"),
        window("savingsWindowHours"),
        window("savingsDataHours"),
        [
            "savingsDataHours",
            `no more than ${prefix}savingsWindowHours (${savingsWindowHours})`,
            savingsDataHours <= savingsWindowHours,
        ],
        [
            "latencyObjectiveSeconds",
            `a bucket bound of the histogram: ${RESPONSE_TIME_BUCKETS.join(", ")}`,
            RESPONSE_TIME_BUCKETS.some((bound) => bound === latencyObjectiveSeconds),
        ],
        ["jobs", "1 or more", jobs.length > 0],
    ];
    return checks
        .filter(([, , isValid]) => !isValid)
        .map(([name, allowed]) => [name, `is ${values[name] ?? NaN}; allowed: ${allowed}`]);
}

/** @throws Error that lists all problems */
export function checkThresholds(thresholds: AlertThresholds): void {
    const problems = thresholdErrors(thresholds).map((error) => error.join(" "));
    if (problems.length > 0) throw new Error(`thresholds: ${problems.join("; ")}`);
}

/** @returns whether the hours are a whole number of minutes, the precision of a rule's durations. */
function isWholeMinutes(hours: number): boolean {
    const minutes = hours * 60;
    return Math.abs(minutes - Math.round(minutes)) < 1e-6;
}
