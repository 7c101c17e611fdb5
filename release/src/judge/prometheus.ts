import {
    CACHE_RESULTS,
    JOBS,
    NAMESPACES,
    perColour,
    SCRAPE_INTERVAL,
    type CacheResult,
    type Colour,
    type PerColour,
} from "@property-search/contract";
import type { Limits } from "./limits.ts";
import {
    NoData,
    STALE_SECONDS,
    type Evidence,
    type Memory,
    type Observation,
    type Pods,
    type Scraped,
    type Times,
    type Window,
} from "./observation.ts";
import { BACKEND_COLOUR, evidenceQuery, LOOKBACK, type Span } from "./promql.ts";
import { readings, type Reading, type Readings } from "./readings.ts";
import type { Share } from "./sequential.ts";

/** Asks Prometheus' HTTP API. @returns the answer's JSON @throws when there is none */
export type Ask = (path: string, parameters: Readonly<Record<string, string>>) => Promise<unknown>;

export interface PrometheusEvidenceArgs {
    readonly ask: Ask;
    /** For the edges that it needs. */
    readonly limits: Pick<Limits, "latency">;
    /** Whether Prometheus scrapes the gateway (job `gateway`, Traefik). */
    readonly gateway: boolean;
}

/** Evidence from the platform's Prometheus: one query a look, and no memory between looks. */
export function prometheusEvidence({ ask, limits, gateway }: PrometheusEvidenceArgs): Evidence {
    const { edges, p95Seconds } = limits.latency;
    const asked = [...new Set([...edges, p95Seconds.hits, p95Seconds.misses])].sort(
        (a, b) => a - b,
    );
    return {
        read: async (window) => {
            const span = spanOf(window);
            const query = evidenceQuery(span, asked, gateway);
            const answer = await ask("/api/v1/query", { query, time: `${span.to}` }).catch(
                (error: unknown) => {
                    throw new NoData(`Prometheus does not answer: ${messageOf(error)}`);
                },
            );
            return observation(readings(answer), span, asked, gateway);
        },
    };
}

/** The scrape intervals that lie wholly within the window. */
function spanOf({ since, now }: Window): Span {
    const from = Math.ceil(since / SCRAPE_INTERVAL) * SCRAPE_INTERVAL;
    const to = Math.floor(now / SCRAPE_INTERVAL) * SCRAPE_INTERVAL;
    if (to > from) return { from, to };
    throw new NoData(
        `the window is ${Math.round(now - since)} s old, in which nothing was scraped twice yet: ` +
            `scrapes are ${SCRAPE_INTERVAL} s apart`,
    );
}

function observation(
    seen: Readings,
    { from, to }: Span,
    edges: readonly number[],
    gateway: boolean,
): Observation {
    const [unwatched] = seen.all("unwatched");
    if (unwatched) {
        const { job, colour = job } = unwatched.labels;
        throw new NoData(
            `${colour}: nobody watched its counters for more than ${LOOKBACK} s, so what is new in them is unknown`,
        );
    }
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

/** @returns what is missing of a job that tells of both colours */
function jobGaps(seen: Readings, job: string): readonly string[] {
    const targets = seen.value("targets", { job });
    const age = seen.value("age", { job });
    if (targets === undefined || age === undefined) return [`${job}: Prometheus scrapes none`];
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

/** Those with a 5xx among all. */
function shareOf(counted: readonly Reading[]): Share {
    const sum = (some: readonly Reading[]) => some.reduce((all, { value }) => all + value, 0);
    return {
        bad: sum(counted.filter(({ labels }) => labels.code?.startsWith("5"))),
        of: sum(counted),
    };
}

/** The gateway has a backend for each rule of the route that names the colour. */
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
 * A backend without pods is not counted as one, only its route is (traefik/traefik#12451). Where failed
 * attempts are made again, backends have more errors than the route; never fewer than none are left.
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

/** A pod that is asked for and did not start yet, as when the colour grows, was never ready to be missed. */
function podsOf(seen: Readings, colour: Colour): Pods | undefined {
    const figure = (name: string) => seen.value(name, { namespace: NAMESPACES[colour] });
    const [ready, wanted] = [figure("ready"), figure("wanted")];
    const [readyMost, readyLately] = [figure("readyMost"), figure("readyLately")];
    const wantedLately = figure("wantedLately");
    if (
        ready === undefined ||
        wanted === undefined ||
        readyMost === undefined ||
        readyLately === undefined ||
        wantedLately === undefined
    ) {
        return undefined;
    }
    // Of a colour that never had one, one is missing.
    const had = Math.max(1, readyMost);
    return {
        ready,
        wanted,
        missing: Math.max(0, Math.min(had, wanted) - ready),
        lost: Math.max(0, Math.min(had, wantedLately) - readyLately),
    };
}

/** @returns undefined where a pod's figure or its limit is not known */
function memoryOf(seen: Readings, colour: Colour): Memory | undefined {
    const pods = seen.all("memory", { colour }).map(({ labels: { pod = "" }, value }) => {
        const of = { colour, pod };
        const limit = seen.value("memoryLimit", { namespace: NAMESPACES[colour], pod }) ?? NaN;
        const before = seen.value("memoryBefore", of) ?? NaN;
        // A cache that fills up slows down: the lesser pace is what it will keep.
        const pace = Math.min(
            seen.value("memoryPace", of) ?? NaN,
            seen.value("memoryPaceLately", of) ?? NaN,
        );
        return {
            share: value / limit,
            gained: Math.max(0, (value - before) / limit),
            secondsToLimit: pace > 0 ? Math.max(0, (limit - value) / pace) : Infinity,
        };
    });
    const share = Math.max(...pods.map((pod) => pod.share));
    if (pods.length === 0 || Number.isNaN(share)) return undefined;
    // One that is not there for as long yet has no `gained`.
    const growing = pods
        .filter(({ gained, secondsToLimit }) => gained > 0 && Number.isFinite(secondsToLimit))
        .sort((a, b) => a.secondsToLimit - b.secondsToLimit)[0];
    return {
        share,
        growth: growing && { gained: growing.gained, secondsToLimit: growing.secondsToLimit },
    };
}

function messageOf(error: unknown): string {
    return error instanceof Error ? error.message : String(error);
}
