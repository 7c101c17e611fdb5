import {
    CACHE_RESULTS,
    COLOURS,
    JOBS,
    METRICS,
    NAMESPACES,
    RESPONSE_TIME_BUCKETS,
    SCRAPE_INTERVAL_SECONDS,
    SERVICE_NAMES,
    type Colour,
} from "@property-search/contract";
import { STALE, type Series } from "./prometheus.ts";

/** Seconds since the start of the step. */
export interface Life {
    readonly from: number;
    /** Default: never */
    readonly until?: number;
}

export interface Pod {
    readonly colour: Colour;
    readonly name: string;
    /** Each pod is a separate process that counts from 0. */
    readonly lives: readonly Life[];
    /** Offset of its scrapes from the start of each interval, in seconds. */
    readonly offset: number;
    /**
     * In each second it answers so many: `errors` with a 503, `slow` of the others in more than 0.3 s; and so
     * many `misses` besides, each in more than 2 s.
     */
    readonly perSecond: {
        readonly all: number;
        readonly errors: number;
        readonly slow: number;
        readonly misses?: number;
    };
    /** Its memory, by its age in seconds. */
    readonly bytes: (age: number) => number;
    /** Seconds at which scrapes fail. */
    readonly failing: readonly [from: number, until: number];
}

export interface World {
    /** Start of the step in Unix seconds. */
    readonly since: number;
    readonly end: number;
    readonly pods: readonly Pod[];
    /** Default: the number of the colour's pods */
    readonly ready?: (colour: Colour, second: number) => number;
    readonly desired?: number;
    /** Time at which kube-state-metrics moves to another node, and its series start again. */
    readonly kube: readonly {
        readonly instance: string;
        readonly from: number;
        readonly until: number;
    }[];
    /** Requests per second that the gateway answers without a pod, from this time on. */
    readonly noPodErrors: { readonly from: number; readonly perSecond: number };
    /** Seconds at which Redis is down, followed by a restart. Default: Redis is not scraped */
    readonly redisAway?: readonly [from: number, until: number];
    /** Seconds without any scrape. */
    readonly blind: readonly [from: number, until: number];
}

export const LIMIT = 1000;
const BEGIN = -900;

export function pod(colour: Colour, name: string, change: Partial<Pod> = {}): Pod {
    return {
        colour,
        name: `${SERVICE_NAMES[colour]}-${name}`,
        lives: [{ from: -800 }],
        offset: 7,
        perSecond: { all: 10, errors: 0, slow: 0 },
        bytes: () => 400,
        failing: [0, 0],
        ...change,
    };
}

export function world(change: Partial<World> = {}): World {
    return {
        // An hour ago, at the start of a scrape interval.
        since:
            Math.floor(Date.now() / 1000 / SCRAPE_INTERVAL_SECONDS) * SCRAPE_INTERVAL_SECONDS -
            3600,
        end: 120,
        pods: [
            pod("blue", "a"),
            pod("blue", "b", { offset: 3 }),
            pod("green", "c", { offset: 11 }),
        ],
        kube: [{ instance: "10.0.0.9:8080", from: BEGIN, until: Infinity }],
        noPodErrors: { from: 0, perSecond: 0 },
        blind: [0, 0],
        ...change,
    };
}

/** @returns the samples that Prometheus would have scraped */
export function seriesOf(all: World): readonly Series[] {
    const { since, end, blind } = all;
    const times = (offset: number) =>
        Array.from(
            { length: Math.ceil((end - BEGIN) / SCRAPE_INTERVAL_SECONDS) },
            (_, at) => BEGIN + at * SCRAPE_INTERVAL_SECONDS + offset,
        ).filter((second) => second <= end && !within(second, blind));
    const series = (
        labels: Readonly<Record<string, string>>,
        offset: number,
        value: (second: number) => number | typeof STALE | undefined,
    ): Series => ({
        labels,
        samples: times(offset).flatMap((second) => {
            const at = value(second);
            return at === undefined ? [] : [[since + second, at] as const];
        }),
    });
    return [
        ...all.pods.flatMap((one) => podSeries(one, since, series)),
        ...kubeSeries(all, series),
        ...gatewaySeries(all, series),
        ...redisSeries(all, series),
    ];
}

function redisSeries({ redisAway }: World, series: Make): readonly Series[] {
    if (!redisAway) return [];
    const [, until] = redisAway;
    const scrapedSeries = (metric: string, value: (second: number) => number | typeof STALE) =>
        series({ __name__: metric, job: JOBS.redis, pod: "redis-0" }, 2, value);
    return [
        scrapedSeries("redis_up", (second) => (within(second, redisAway) ? 0 : 1)),
        scrapedSeries("redis_uptime_in_seconds", (second) => {
            if (within(second, redisAway)) return STALE;
            return second < until ? second - BEGIN : second - until;
        }),
    ];
}

type Make = (
    labels: Readonly<Record<string, string>>,
    offset: number,
    value: (second: number) => number | typeof STALE | undefined,
) => Series;

function podSeries(one: Pod, since: number, series: Make): readonly Series[] {
    const { colour, name, lives, offset, perSecond, failing } = one;
    const target = {
        job: JOBS.service,
        colour,
        namespace: NAMESPACES[colour],
        pod: name,
        instance: `${name}:8001`,
    };
    const lifeAt = (second: number) =>
        lives.find(({ from, until = Infinity }) => second >= from && second < until);
    const first = lives[0]?.from ?? Infinity;
    const last = lives.at(-1)?.until ?? Infinity;
    const own = (
        metric: string,
        labels: Readonly<Record<string, string>>,
        value: (age: number, life: Life) => number,
    ) =>
        series({ __name__: metric, ...target, ...labels }, offset, (second) => {
            if (second < first) return undefined;
            const life = lifeAt(second);
            return life && !within(second, failing) ? value(second - life.from, life) : STALE;
        });
    const counter = (metric: string, labels: Readonly<Record<string, string>>, rate: number) =>
        own(metric, labels, (age) => rate * age);
    const { all, errors, slow, misses = 0 } = perSecond;
    return [
        series({ __name__: "up", ...target }, offset, (second) => {
            if (second < first) return undefined;
            if (second >= last) return STALE;
            return lifeAt(second) && !within(second, failing) ? 1 : 0;
        }),
        own("process_start_time_seconds", {}, (_, { from }) => since + from),
        own("process_resident_memory_bytes", {}, (age) => one.bytes(age)),
        counter(METRICS.requests, { route: "/embed", code: "200" }, all - errors),
        counter(METRICS.requests, { route: "/embed", code: "503" }, errors),
        counter(METRICS.requests, { route: "/v1/embeddings", code: "200" }, 0),
        ...CACHE_RESULTS.flatMap((result) =>
            [...RESPONSE_TIME_BUCKETS.map((edge) => `${edge}`), "+Inf"].map((le) => {
                const edge = le === "+Inf" ? Infinity : Number(le);
                const rates: Partial<Record<typeof result, number>> = {
                    hit_l1: edge >= 0.5 ? all - errors : all - errors - slow,
                    miss: edge >= 5 ? misses : 0,
                    error: errors,
                };
                const rate = rates[result] ?? 0;
                return counter(
                    `${METRICS.responseTime}_bucket`,
                    { route: "/embed", result, le },
                    rate,
                );
            }),
        ),
    ];
}

function kubeSeries({ pods, ready, desired, kube }: World, series: Make): readonly Series[] {
    return kube.flatMap(({ instance, from, until }) => {
        const scrapedSeries = (
            metric: string,
            labels: Readonly<Record<string, string>>,
            value: (second: number) => number | undefined,
        ) =>
            series({ __name__: metric, job: JOBS.kubeState, instance, ...labels }, 5, (second) => {
                if (second < from) return undefined;
                return second < until ? value(second) : STALE;
            });
        return [
            scrapedSeries("up", { namespace: NAMESPACES.monitoring }, () => 1),
            ...COLOURS.flatMap((colour) => {
                const labels = { namespace: NAMESPACES[colour], deployment: SERVICE_NAMES[colour] };
                const count = pods.filter((one) => one.colour === colour).length;
                return [
                    scrapedSeries(
                        "kube_deployment_status_replicas_ready",
                        labels,
                        (second) => ready?.(colour, second) ?? count,
                    ),
                    scrapedSeries("kube_deployment_spec_replicas", labels, () => desired ?? count),
                ];
            }),
            ...pods.flatMap(({ colour, name, lives }) => {
                const labels = { namespace: NAMESPACES[colour], pod: name, container: "service" };
                const first = lives[0]?.from ?? Infinity;
                // Old pods have restarted three times before.
                const earlier = first < -600 ? 3 : 0;
                const restarts = (second: number) =>
                    earlier + lives.filter(({ from }) => from > first && from <= second).length;
                return [
                    scrapedSeries("kube_pod_container_status_restarts_total", labels, (second) =>
                        second < first ? undefined : restarts(second),
                    ),
                    scrapedSeries(
                        "kube_pod_container_resource_limits",
                        { ...labels, resource: "memory" },
                        () => LIMIT,
                    ),
                    scrapedSeries(
                        "kube_pod_container_resource_limits",
                        { ...labels, resource: "cpu" },
                        () => 2,
                    ),
                ];
            }),
        ];
    });
}

const ROUTE = `httproute-${NAMESPACES.edge}-embedding-service-gw-${NAMESPACES.edge}-embedding-gateway-ep-web`;

function gatewaySeries({ since, pods, noPodErrors }: World, series: Make): readonly Series[] {
    const target = { job: JOBS.gateway, namespace: NAMESPACES.edge, instance: "10.0.0.2:8081" };
    const rate = (colour: Colour, errors: boolean) =>
        pods
            .filter((one) => one.colour === colour)
            .reduce(
                (sum, { perSecond }) =>
                    sum + (errors ? perSecond.errors : perSecond.all - perSecond.errors),
                0,
            );
    const counter = (
        metric: string,
        labels: Readonly<Record<string, string>>,
        perSecond: number,
        from = -800,
    ) =>
        // Traefik has no series before its first count.
        series({ __name__: metric, ...target, ...labels }, 9, (second) =>
            perSecond > 0 && second > from ? perSecond * (second - from) : undefined,
        );
    return [
        series({ __name__: "up", ...target }, 9, () => 1),
        series({ __name__: "process_start_time_seconds", ...target }, 9, () => since - 800),
        ...COLOURS.flatMap((colour, at) => {
            const service = `${ROUTE}-2-d30731389e70635b60de-svc-${NAMESPACES[colour]}-${SERVICE_NAMES[colour]}-${at}@kubernetesgateway`;
            return [
                counter(
                    "traefik_service_requests_total",
                    { service, code: "200" },
                    rate(colour, false),
                ),
                counter(
                    "traefik_service_requests_total",
                    { service, code: "503" },
                    rate(colour, true),
                ),
            ];
        }),
        ...(["200", "503"] as const).map((code) =>
            counter(
                "traefik_router_requests_total",
                { router: `${ROUTE}-2-d30731389e70635b60de@kubernetesgateway`, code },
                COLOURS.reduce((sum, colour) => sum + rate(colour, code === "503"), 0),
            ),
        ),
        counter(
            "traefik_router_requests_total",
            {
                router: `${ROUTE}-2-d30731389e70635b60de@kubernetesgateway`,
                code: "503",
                method: "POST",
            },
            noPodErrors.perSecond,
            noPodErrors.from,
        ),
        // Series of another application.
        counter(
            "traefik_service_requests_total",
            { service: "shop-web-80@kubernetesgateway", code: "500" },
            99,
        ),
        counter(
            "traefik_router_requests_total",
            { router: "httproute-shop-web@kubernetesgateway", code: "500" },
            99,
        ),
    ];
}

function within(second: number, [from, until]: readonly [number, number]): boolean {
    return second >= from && second < until;
}
