import {
    CACHE_RESULTS,
    JOBS,
    NAMESPACES,
    perColour,
    SCRAPE_INTERVAL_SECONDS,
    type CacheResult,
    type Colour,
    type PerColour,
} from "@property-search/contract";
import type { Limits } from "./limits.ts";
import {
    InconclusiveError,
    STALE_SECONDS,
    type Evidence,
    type Observation,
    type ScrapeHealth,
    type AnswerTimes,
    type Window,
} from "./observation.ts";
import { readMemory, readPods } from "./pods.ts";
import { BACKEND_COLOUR, evidenceQuery, LOOKBACK_SECONDS, type TimeRange } from "./promql.ts";
import { parseReadings, type Reading, type Readings } from "./readings.ts";
import type { Share } from "./sequential.ts";

/** Calls Prometheus' HTTP API. @returns the response's JSON @throws on failure */
export type Query = (
    path: string,
    parameters: Readonly<Record<string, string>>,
) => Promise<unknown>;

export interface PrometheusEvidenceArgs {
    readonly query: Query;
    /** Limits whose upper bounds are queried. */
    readonly limits: Pick<Limits, "latency">;
    /** Whether Prometheus scrapes the gateway (job `gateway`, Traefik). */
    readonly gateway: boolean;
}

/** Evidence from the platform's Prometheus: one query per analysis, without state between analyses. */
export function prometheusEvidence({ query, limits, gateway }: PrometheusEvidenceArgs): Evidence {
    const { upperBounds: bounds, p95Seconds } = limits.latency;
    const upperBounds = [...new Set([...bounds, p95Seconds.hits, p95Seconds.misses])].sort(
        (a, b) => a - b,
    );
    return {
        read: async (window) => {
            const range = alignToScrapes(window);
            const parameters = {
                query: evidenceQuery(range, upperBounds, gateway),
                time: `${range.to}`,
            };
            const answer = await fetchEvidence(query, parameters);
            return createObservation(parseReadings(answer), window, range, {
                upperBounds,
                gateway,
            });
        },
    };
}

async function fetchEvidence(
    ask: Query,
    parameters: Readonly<Record<string, string>>,
): Promise<unknown> {
    try {
        return await ask("/api/v1/query", parameters);
    } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        throw new InconclusiveError(`Prometheus does not answer: ${reason}`);
    }
}

/** Time range of the complete scrape intervals in the window. */
function alignToScrapes({ since, now }: Window): TimeRange {
    const from = Math.ceil(since / SCRAPE_INTERVAL_SECONDS) * SCRAPE_INTERVAL_SECONDS;
    const to = Math.floor(now / SCRAPE_INTERVAL_SECONDS) * SCRAPE_INTERVAL_SECONDS;
    if (to > from) return { from, to };
    throw new InconclusiveError(
        `the window is ${Math.round(now - since)} s old and does not contain two scrapes yet: ` +
            `the scrape interval is ${SCRAPE_INTERVAL_SECONDS} s`,
    );
}

interface ObservationOptions {
    readonly upperBounds: readonly number[];
    readonly gateway: boolean;
}

function createObservation(
    readings: Readings,
    window: Window,
    { from, to }: TimeRange,
    { upperBounds, gateway }: ObservationOptions,
): Observation {
    assertContinuouslyScraped(readings, window);
    const kubeGaps = findJobGaps(readings, JOBS.kubeState);
    const gatewayGaps = gateway ? findJobGaps(readings, JOBS.gateway) : [];
    const handed = gateway && gatewayGaps.length === 0 ? readBackendRequests(readings) : undefined;
    const knowsPods = kubeGaps.length === 0;
    return {
        from,
        to,
        colours: perColour((colour) => ({
            scrapeHealth: readScrapeHealth(readings, colour),
            requests: errorShare(readings.select("requests", { colour })),
            gatewayRequests: handed?.[colour],
            answerTimes: readAnswerTimes(readings, colour, upperBounds),
            restarts: knowsPods
                ? readings.value("restarts", { namespace: NAMESPACES[colour] })
                : undefined,
            pods: knowsPods ? readPods(readings, colour) : undefined,
            memory: knowsPods ? readMemory(readings, colour) : undefined,
        })),
        route: handed && readRouteErrors(readings, handed),
        gaps: [...kubeGaps, ...gatewayGaps],
    };
}

/** Rejects a window in which counters were not scraped; a later window can be analysed. */
function assertContinuouslyScraped(readings: Readings, { since, now }: Window): void {
    const [last] = readings.select("unwatched").toSorted((a, b) => b.value - a.value);
    if (last === undefined) return;
    const { job, colour = job } = last.labels;
    throw new InconclusiveError(
        `${colour}: its counters were not scraped for more than ${LOOKBACK_SECONDS} s, so their growth is unknown`,
        last.value + now - since,
    );
}

/** @returns missing data of a job that covers both colours */
function findJobGaps(readings: Readings, job: string): readonly string[] {
    const targets = readings.value("targets", { job });
    const age = readings.value("age", { job });
    if (targets === undefined || age === undefined) return [`${job}: Prometheus scrapes no target`];
    if (age > STALE_SECONDS) {
        return [`${job}: last scraped ${Math.round(age)} s ago; allowed: ${STALE_SECONDS} s`];
    }
    return readings.value("up", { job }) === 0 ? [`${job}: does not answer Prometheus`] : [];
}

function readScrapeHealth(readings: Readings, colour: Colour): ScrapeHealth | undefined {
    const labels = { job: JOBS.service, colour };
    const pods = readings.value("targets", labels);
    const answering = readings.value("up", labels);
    const secondsAgo = readings.value("age", labels);
    if (pods === undefined || answering === undefined || secondsAgo === undefined) return undefined;
    return { pods, answering, ageSeconds: secondsAgo };
}

/** Share of requests with a 5xx. */
function errorShare(counted: readonly Reading[]): Share {
    const sum = (some: readonly Reading[]) => some.reduce((all, { value }) => all + value, 0);
    return {
        bad: sum(counted.filter(({ labels }) => labels.code?.startsWith("5"))),
        total: sum(counted),
    };
}

/** The gateway has one backend per rule of the route that references the colour. */
function readBackendRequests(readings: Readings): PerColour<Share> {
    return perColour((colour) =>
        errorShare(
            readings
                .select("backend")
                .filter(({ labels }) => BACKEND_COLOUR.exec(labels.service ?? "")?.[1] === colour),
        ),
    );
}

/**
 * Traefik counts requests to a backend without pods for the route only (traefik/traefik#12451). With retries, backends have
 * more errors than the route, so the difference is at least 0.
 */
function readRouteErrors(readings: Readings, handed: PerColour<Share>): Share | undefined {
    const routed = readings.select("router");
    if (routed.length === 0) return undefined;
    const { bad, total } = errorShare(routed);
    return { bad: Math.max(0, bad - handed.blue.bad - handed.green.bad), total };
}

function readAnswerTimes(
    readings: Readings,
    colour: Colour,
    bounds: readonly number[],
): Readonly<Partial<Record<CacheResult, AnswerTimes>>> {
    const timed = CACHE_RESULTS.flatMap((result) => {
        const buckets = readings.select("answers", { colour, result });
        const within = (seconds: number) =>
            buckets.find(({ labels }) => parseBound(labels.le) === seconds)?.value ?? NaN;
        const answers = within(Infinity);
        const slower = bounds.map((seconds) => ({ seconds, answers: answers - within(seconds) }));
        return buckets.length > 0 ? [[result, { answers, slower }] as const] : [];
    });
    return Object.fromEntries(timed);
}

function parseBound(le: string | undefined): number {
    return le === "+Inf" ? Infinity : Number(le);
}
