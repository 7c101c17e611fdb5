import { seededRandom } from "../../../bench/shared/random.ts";

/** Requests of texts in the order of their times. */
export interface Trace {
    /** Seconds since the trace's begin. */
    readonly times: Float64Array;
    /** Number of the text. */
    readonly texts: Int32Array;
    readonly textCount: number;
}

export interface TraceOptions {
    readonly seed: number;
    readonly days: number;
    readonly requestsPerDay: number;
    /** Day, counted from the begin, of a flash crowd. */
    readonly flashCrowdDay: number;
}

/** Jest looks globals up at each use. */
const { round, log, floor, min, cos, PI } = Math;
export const DAY_SECONDS = 86_400;
/** Share of the requests at night over those at noon, and of a weekend's over a weekday's. */
const [NIGHT, WEEKEND] = [0.25, 0.55];
/** Rank frequencies of search queries: Breslau et al., "Web Caching and Zipf-like Distributions". */
const SKEW = 0.85;
/** Popular texts per request of a day, and how long one stays popular on average. */
const POPULAR_PER_REQUEST = 0.6;
const POPULAR_DAYS = 25;
/** Share of the requests for texts that nobody requests again. */
const SINGLE = 0.12;
/** A flash crowd: this many times the requests for some hours, for few texts. */
const CROWD = { factor: 3, hours: 6, texts: 300 };

/**
 * A month of requests: by day and night, on weekdays and weekends, with popular texts that come and go, texts that are
 * requested once, and a flash crowd. The same seed makes the same trace.
 */
export function createTrace(options: TraceOptions): Trace {
    const { seed, days, requestsPerDay, flashCrowdDay } = options;
    const random = seededRandom(seed);
    const ranks = round(POPULAR_PER_REQUEST * requestsPerDay);
    const ends = new Float64Array(ranks);
    const textOf = new Int32Array(ranks);
    let textCount = 0;
    for (let rank = 0; rank < ranks; rank += 1) {
        ends[rank] = random() * POPULAR_DAYS * DAY_SECONDS;
        textOf[rank] = textCount++;
    }
    const crowd = textCount;
    textCount += CROWD.texts;
    const times: number[] = [];
    const texts: number[] = [];
    const crowdFrom = (flashCrowdDay + 0.5) * DAY_SECONDS;
    const crowdTo = crowdFrom + CROWD.hours * 3_600;
    const peak = (requestsPerDay / DAY_SECONDS) * 1.6 * CROWD.factor;
    for (let time = 0; ;) {
        time -= log(1 - random()) / peak;
        if (time >= days * DAY_SECONDS) break;
        const isCrowded = time >= crowdFrom && time < crowdTo;
        const usual = demandAt(time) / (1.6 * CROWD.factor);
        const drawn = random();
        if (drawn < usual) {
            times.push(time);
            texts.push(random() < SINGLE ? textCount++ : popular(time));
        } else if (isCrowded && drawn < usual * CROWD.factor) {
            times.push(time);
            texts.push(crowd + floor(random() ** 2 * CROWD.texts));
        }
    }
    return { times: Float64Array.from(times), texts: Int32Array.from(texts), textCount };

    function popular(time: number): number {
        const rank = min(ranks - 1, floor(zipf(random(), ranks)));
        if ((ends[rank] ?? 0) < time) {
            ends[rank] = time - log(1 - random()) * POPULAR_DAYS * DAY_SECONDS;
            textOf[rank] = textCount++;
        }
        return textOf[rank] ?? 0;
    }
}

/** Requests at a time over those of a mean weekday: 1.6 at noon at most. */
function demandAt(time: number): number {
    const hour = (time / 3_600) % 24;
    const day = floor(time / DAY_SECONDS) % 7;
    const light = (1 - cos((2 * PI * hour) / 24)) / 2;
    return 1.6 * (NIGHT + (1 - NIGHT) * light) * (day >= 5 ? WEEKEND : 1);
}

/** @returns the rank of a quantile, from the continuous distribution of the same exponent */
function zipf(quantile: number, ranks: number): number {
    return (1 + quantile * (ranks ** (1 - SKEW) - 1)) ** (1 / (1 - SKEW)) - 1;
}
