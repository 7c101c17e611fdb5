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
    NoData,
    STALE_SECONDS,
    type Evidence,
    type Observation,
    type Scraped,
    type Times,
    type Window,
} from "./observation.ts";
import { memoryOf, podsOf } from "./pods.ts";
import { BACKEND_COLOUR, evidenceQuery, LOOKBACK, type Span } from "./promql.ts";
import { readings, type Reading, type Readings } from "./readings.ts";
import type { Share } from "./sequential.ts";

/** Calls Prometheus' HTTP API. @returns the response's JSON @throws on failure */
export type Ask = (path: string, parameters: Readonly<Record<string, string>>) => Promise<unknown>;

export interface PrometheusEvidenceArgs {
    readonly ask: Ask;
    /** Limits whose upper bounds are queried. */
    readonly limits: Pick<Limits, "latency">;
    /** Whether Prometheus scrapes the gateway (job `gateway`, Traefik). */
    readonly gateway: boolean;
}

/** Evidence from the platform's Prometheus: one query per analysis, without state between analyses. */
export function prometheusEvidence({ ask, limits, gateway }: PrometheusEvidenceArgs): Evidence {
    const { edges, p95Seconds } = limits.latency;
    const asked = [...new Set([...edges, p95Seconds.hits, p95Seconds.misses])].sort(
        (a, b) => a - b,
    );
    return {
        read: async (window) => {
            const span = spanOf(window);
            const parameters = { query: evidenceQuery(span, asked, gateway), time: `${span.to}` };
            const answer = await answerOf(ask, parameters);
            return observation(readings(answer), window, span, { edges: asked, gateway });
        },
    };
}

async function answerOf(ask: Ask, parameters: Readonly<Record<string, string>>): Promise<unknown> {
    try {
        return await ask("/api/v1/query", parameters);
    } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        throw new NoData(`Prometheus does not answer: ${reason}`);
    }
}

/** Time range of the complete scrape intervals in the window. */
function spanOf({ since, now }: Window): Span {
    const from = Math.ceil(since / SCRAPE_INTERVAL_SECONDS) * SCRAPE_INTERVAL_SECONDS;
    const to = Math.floor(now / SCRAPE_INTERVAL_SECONDS) * SCRAPE_INTERVAL_SECONDS;
    if (to > from) return { from, to };
    throw new NoData(
        `the window is ${Math.round(now - since)} s old and does not contain two scrapes yet: ` +
            `the scrape interval is ${SCRAPE_INTERVAL_SECONDS} s`,
    );
}

interface Wanted {
    readonly edges: readonly number[];
    readonly gateway: boolean;
}

function observation(
    seen: Readings,
    window: Window,
    { from, to }: Span,
    { edges, gateway }: Wanted,
): Observation {
    refuseUnwatched(seen, window);
    const kubeGaps = jobGaps(seen, JOBS.kubeState);
    const gatewayGaps = gateway ? jobGaps(seen, JOBS.gateway) : [];
    const handed = gateway && gatewayGaps.length === 0 ? handedOver(seen) : undefined;
    const knowsPods = kubeGaps.length === 0;
    return {
        from,
        to,
        colours: perColour((colour) => ({
            scraped: scrapedOf(seen, colour),
            requests: shareOf(seen.all("requests", { colour })),
            atGateway: handed?.[colour],
            times: timesOf(seen, colour, edges),
            restarts: knowsPods
                ? seen.value("restarts", { namespace: NAMESPACES[colour] })
                : undefined,
            pods: knowsPods ? podsOf(seen, colour) : undefined,
            memory: knowsPods ? memoryOf(seen, colour) : undefined,
        })),
        route: handed && routeOf(seen, handed),
        gaps: [...kubeGaps, ...gatewayGaps],
    };
}

/** Rejects a window in which counters were not scraped; a later window can be analysed. */
function refuseUnwatched(seen: Readings, { since, now }: Window): void {
    const [last] = seen.all("unwatched").toSorted((a, b) => b.value - a.value);
    if (last === undefined) return;
    const { job, colour = job } = last.labels;
    throw new NoData(
        `${colour}: its counters were not scraped for more than ${LOOKBACK} s, so their growth is unknown`,
        last.value + now - since,
    );
}

/** @returns missing data of a job that covers both colours */
function jobGaps(seen: Readings, job: string): readonly string[] {
    const targets = seen.value("targets", { job });
    const age = seen.value("age", { job });
    if (targets === undefined || age === undefined) return [`${job}: Prometheus scrapes no target`];
    if (age > STALE_SECONDS) {
        return [`${job}: last scraped ${Math.round(age)} s ago; allowed: ${STALE_SECONDS} s`];
    }
    return seen.value("up", { job }) === 0 ? [`${job}: does not answer Prometheus`] : [];
}

function scrapedOf(seen: Readings, colour: Colour): Scraped | undefined {
    const labels = { job: JOBS.service, colour };
    const pods = seen.value("targets", labels);
    const answering = seen.value("up", labels);
    const secondsAgo = seen.value("age", labels);
    if (pods === undefined || answering === undefined || secondsAgo === undefined) return undefined;
    return { pods, answering, secondsAgo };
}

/** Share of requests with a 5xx. */
function shareOf(counted: readonly Reading[]): Share {
    const sum = (some: readonly Reading[]) => some.reduce((all, { value }) => all + value, 0);
    return {
        bad: sum(counted.filter(({ labels }) => labels.code?.startsWith("5"))),
        of: sum(counted),
    };
}

/** The gateway has one backend per rule of the route that references the colour. */
function handedOver(seen: Readings): PerColour<Share> {
    return perColour((colour) =>
        shareOf(
            seen
                .all("backend")
                .filter(({ labels }) => BACKEND_COLOUR.exec(labels.service ?? "")?.[1] === colour),
        ),
    );
}

/**
 * Traefik counts requests to a backend without pods for the route only (traefik/traefik#12451). With retries, backends have
 * more errors than the route, so the difference is at least 0.
 */
function routeOf(seen: Readings, handed: PerColour<Share>): Share | undefined {
    const routed = seen.all("router");
    if (routed.length === 0) return undefined;
    const { bad, of } = shareOf(routed);
    return { bad: Math.max(0, bad - handed.blue.bad - handed.green.bad), of };
}

function timesOf(
    seen: Readings,
    colour: Colour,
    edges: readonly number[],
): Readonly<Partial<Record<CacheResult, Times>>> {
    const timed = CACHE_RESULTS.flatMap((result) => {
        const buckets = seen.all("answers", { colour, result });
        const within = (seconds: number) =>
            buckets.find(({ labels }) => edgeOf(labels.le) === seconds)?.value ?? NaN;
        const answers = within(Infinity);
        const slower = edges.map((seconds) => ({ seconds, answers: answers - within(seconds) }));
        return buckets.length > 0 ? [[result, { answers, slower }] as const] : [];
    });
    return Object.fromEntries(timed);
}

function edgeOf(le: string | undefined): number {
    return le === "+Inf" ? Infinity : Number(le);
}
