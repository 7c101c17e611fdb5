import {
    COLOURS,
    JOBS,
    METRICS,
    NAMESPACES,
    ROUTE_NAME,
    SCRAPE_INTERVAL_SECONDS,
    SERVICE_NAMES,
    type CacheResult,
} from "@property-search/contract";
import { ANSWER_KINDS } from "./comparisons.ts";

/** Unix seconds, multiples of SCRAPE_INTERVAL_SECONDS, `from` before `to`. */
export interface TimeRange {
    readonly from: number;
    readonly to: number;
}

/** Maximum age of a counter's previous value for its growth to be known. */
export const LOOKBACK_SECONDS = 300;

/** Time range for the growth of a pod's memory: shorter ranges show the heap's fluctuation. */
const GROWTH_SECONDS = 120;

/** Time for which a pod must be missing to count as lost: a killed pod is replaced sooner. */
const LOST_SECONDS = 60;

/** Time after a restart of Redis in which all traffic waits for the upstream, since its entries are lost. */
const REFILL_SECONDS = 60;

const COLOUR = `(${COLOURS.join("|")})`;
const IN_COLOURS = `namespace=~"${COLOURS.map((colour) => NAMESPACES[colour]).join("|")}"`;
const SERVICE = `job="${JOBS.service}"`;
const DEPLOYMENTS = COLOURS.map((colour) => SERVICE_NAMES[colour]).join("|");
const PODS = `pod=~"(${DEPLOYMENTS})-.+"`;
const KUBE = `job="${JOBS.kubeState}"`;
const MEMORY = `process_resident_memory_bytes{${SERVICE}}`;
const READY = `kube_deployment_status_replicas_ready{${IN_COLOURS},deployment=~"${DEPLOYMENTS}"}`;
const DESIRED = `kube_deployment_spec_replicas{${IN_COLOURS},deployment=~"${DEPLOYMENTS}"}`;

/** Selects nothing if Redis is not scraped. */
const REDIS = `{job="${JOBS.redis}"}`;
const REDIS_REFILLING = `(min(redis_uptime_in_seconds${REDIS}) < ${REFILL_SECONDS} or min(redis_up${REDIS}) == 0)`;

/** Traefik's backend names contain the Service's namespace and name, its router names those of the route. */
const BACKENDS = `service=~".*-(${COLOURS.map((colour) => `${NAMESPACES[colour]}-${SERVICE_NAMES[colour]}`).join("|")})-.*"`;
const ROUTERS = `router=~".*${NAMESPACES.edge}-${ROUTE_NAME}-.*"`;

/** First group: the colour in the name of a backend. */
export const BACKEND_COLOUR = new RegExp(`-${SERVICE_NAMES.blue.replace(/blue$/, COLOUR)}-`);

/**
 * All data of the judge as one query, so that all figures have the same time, `range.to`. Each figure is a vector with the
 * label `figure`.
 */
export function evidenceQuery(
    range: TimeRange,
    bounds: readonly number[],
    gateway: boolean,
): string {
    const grown = (selector: string) => growth(selector, range);
    const window = `[${range.to - range.from}s]`;
    const lately = `[${LOST_SECONDS}s]`;
    const jobs = [JOBS.service, JOBS.kubeState, ...(gateway ? [JOBS.gateway] : [])];
    const ofJobs = `job=~"${jobs.join("|")}"`;
    const processes = `process_start_time_seconds{${ofJobs}}`;
    const figures: Readonly<Record<string, string>> = {
        requests: `sum by (colour, code) (${grown(`${METRICS.requests}{${SERVICE}}`)})`,
        answers: [
            grown(bucketsOf(ANSWER_KINDS.hits, bounds)),
            growth(bucketsOf(ANSWER_KINDS.misses, bounds), range, REDIS_REFILLING),
        ]
            .map((answers) => `sum by (colour, result, le) (${answers})`)
            .join(" or "),
        ...(gateway && {
            backend: `sum by (service, code) (${grown(`traefik_service_requests_total{job="${JOBS.gateway}",${BACKENDS}}`)})`,
            router: `sum by (code) (${grown(`traefik_router_requests_total{job="${JOBS.gateway}",${ROUTERS}}`)})`,
        }),
        ready: `max by (namespace) (${READY})`,
        readyMost: `max by (namespace) (max_over_time(${READY}${window}))`,
        readyLately: `max by (namespace) (max_over_time(${READY}${lately}))`,
        desired: `max by (namespace) (${DESIRED})`,
        desiredLately: `min by (namespace) (min_over_time(${DESIRED}${lately}))`,
        restarts: `sum by (namespace) (${restarts(range)})`,
        memory: `max by (colour, pod) (${MEMORY})`,
        memoryLimit: `max by (namespace, pod) (kube_pod_container_resource_limits{${IN_COLOURS},${PODS},resource="memory"})`,
        memoryBefore: `max by (colour, pod) (${MEMORY} offset ${GROWTH_SECONDS}s)`,
        memoryPace: `max by (colour, pod) (deriv(${MEMORY}[${GROWTH_SECONDS}s]))`,
        memoryPaceLately: `max by (colour, pod) (deriv(${MEMORY}[${GROWTH_SECONDS / 2}s]))`,
        up: `sum by (job, colour) (up{${ofJobs}})`,
        targets: `count by (job, colour) (up{${ofJobs}})`,
        // Age of the newest scrape: a restarted Prometheus shows removed targets for LOOKBACK_SECONDS.
        age: `min by (job, colour) (time() - timestamp(up{${ofJobs}}))`,
        unwatched: `max by (job, colour) (${lastUnwatched(processes, range)})`,
    };
    return Object.entries(figures)
        .map(([name, expr]) => `label_replace(${expr}, "figure", "${name}", "", "")`)
        .join(" or ");
}

/**
 * Exact growth of each counter. `increase` extrapolates beyond the first and the last sample, which doubles the counts of a
 * short window, and omits the first value of a series, such as all counts of a new pod or the gateway's first 503. This
 * query instead adds for each scrape interval the growth over the previous value, or the whole value if there was none or
 * a restart reset it.
 *
 * @param leftOut intervals in which this expression has a value are omitted
 */
function growth(counter: string, { from, to }: TimeRange, leftOut?: string): string {
    const before = `last_over_time(${counter}[${LOOKBACK_SECONDS}s] offset ${SCRAPE_INTERVAL_SECONDS}s)`;
    // `* 1` removes the metric name, as the difference does, so that both are one series. The range is a second shorter,
    // so that its start is excluded whether the left end is open (Prometheus 3) or closed (2).
    const added = `${counter} - ${before} >= 0 or ${counter} * 1`;
    const counted = leftOut === undefined ? added : `(${added}) unless on () ${leftOut}`;
    return `sum_over_time((${counted})[${to - from - 1}s:${SCRAPE_INTERVAL_SECONDS}s])`;
}

/** Restarts since the start of the range, from Kubernetes' own count, which exporter restarts do not reset. */
function restarts({ from }: TimeRange): string {
    const counter = `kube_pod_container_status_restarts_total{${IN_COLOURS},${PODS}}`;
    const now = `max by (namespace, pod) (${counter})`;
    const before = `max by (namespace, pod) (last_over_time(${counter}[${LOOKBACK_SECONDS}s] @ ${from}))`;
    // Without data at the start, the whole count of a pod must not look new.
    return `(${now} - ${before} or ${now}) and on () count(last_over_time(up{${KUBE}}[${LOOKBACK_SECONDS}s] @ ${from}))`;
}

/**
 * The last time at which a process that runs for longer than LOOKBACK_SECONDS had no sample in that range: `growth` would
 * count its whole value as new.
 */
function lastUnwatched(started: string, { from, to }: TimeRange): string {
    const unseen = `${started} < time() - ${LOOKBACK_SECONDS} unless last_over_time(${started}[${LOOKBACK_SECONDS}s] offset ${SCRAPE_INTERVAL_SECONDS}s)`;
    return `max_over_time((0 * (${unseen}) + time())[${to - from - 1}s:${SCRAPE_INTERVAL_SECONDS}s])`;
}

/** Prometheus 3 writes a bound of 1 as 1.0. */
function bucketsOf(results: readonly CacheResult[], bounds: readonly number[]): string {
    const escaped = bounds.map((bound) => `${bound}`.replace(".", "\\\\."));
    const whole = bounds
        .filter((bound) => Number.isInteger(bound))
        .map((bound) => `${bound}\\\\.0`);
    const le = [...escaped, ...whole, "\\\\+Inf"].join("|");
    return `${METRICS.responseTime}_bucket{${SERVICE},result=~"${results.join("|")}",le=~"${le}"}`;
}
