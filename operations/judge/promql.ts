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
import { KINDS } from "./comparisons.ts";

/** Unix seconds, multiples of SCRAPE_INTERVAL_SECONDS, `from` before `to`. */
export interface Span {
    readonly from: number;
    readonly to: number;
}

/** Of how long ago a counter's last value may be, so that what follows is known to be its growth. */
export const LOOKBACK = 300;

/** Over how long a pod's memory is watched for growth: shorter than that, a heap breathes. */
export const GROWTH_SECONDS = 120;

/** Over how long a pod must have been missing to be lost: a pod that is killed comes back. */
export const LOST_SECONDS = 60;

/** So long after Redis began anew whoever has the traffic waits for the upstream: its entries are gone. */
const REFILL_SECONDS = 60;

const COLOUR = `(${COLOURS.join("|")})`;
const IN_COLOURS = `namespace=~"${COLOURS.map((colour) => NAMESPACES[colour]).join("|")}"`;
const SERVICE = `job="${JOBS.service}"`;
const DEPLOYMENTS = COLOURS.map((colour) => SERVICE_NAMES[colour]).join("|");
const PODS = `pod=~"(${DEPLOYMENTS})-.+"`;
const KUBE = `job="${JOBS.kubeState}"`;
const MEMORY = `process_resident_memory_bytes{${SERVICE}}`;
const READY = `kube_deployment_status_replicas_ready{${IN_COLOURS},deployment=~"${DEPLOYMENTS}"}`;
const WANTED = `kube_deployment_spec_replicas{${IN_COLOURS},deployment=~"${DEPLOYMENTS}"}`;

/** Nothing where nobody watches Redis. */
const REDIS = `{job="${JOBS.redis}"}`;
const REDIS_GONE = `(min(redis_uptime_in_seconds${REDIS}) < ${REFILL_SECONDS} or min(redis_up${REDIS}) == 0)`;

/** Traefik's name of a backend has its namespace and name in it, that of a router its route's. */
const BACKENDS = `service=~".*-(${COLOURS.map((colour) => `${NAMESPACES[colour]}-${SERVICE_NAMES[colour]}`).join("|")})-.*"`;
const ROUTERS = `router=~".*${NAMESPACES.edge}-${ROUTE_NAME}-.*"`;

/** The colour in the name of a backend, of a pod's namespace: first group. */
export const BACKEND_COLOUR = new RegExp(`-${SERVICE_NAMES.blue.replace(/blue$/, COLOUR)}-`);

/**
 * Everything that the judge asks Prometheus, as one query, so that all figures are of the same moment:
 * `span.to`. Each figure is a vector with the label `figure`.
 */
export function evidenceQuery(span: Span, edges: readonly number[], gateway: boolean): string {
    const grown = (selector: string) => growth(selector, span);
    const window = `[${span.to - span.from}s]`;
    const lately = `[${LOST_SECONDS}s]`;
    const jobs = [JOBS.service, JOBS.kubeState, ...(gateway ? [JOBS.gateway] : [])];
    const ofJobs = `job=~"${jobs.join("|")}"`;
    const processes = `process_start_time_seconds{${ofJobs}}`;
    const figures: Readonly<Record<string, string>> = {
        requests: `sum by (colour, code) (${grown(`${METRICS.requests}{${SERVICE}}`)})`,
        answers: [
            grown(bucketsOf(KINDS.hits, edges)),
            growth(bucketsOf(KINDS.misses, edges), span, REDIS_GONE),
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
        wanted: `max by (namespace) (${WANTED})`,
        wantedLately: `min by (namespace) (min_over_time(${WANTED}${lately}))`,
        restarts: `sum by (namespace) (${restarts(span)})`,
        memory: `max by (colour, pod) (${MEMORY})`,
        memoryLimit: `max by (namespace, pod) (kube_pod_container_resource_limits{${IN_COLOURS},${PODS},resource="memory"})`,
        memoryBefore: `max by (colour, pod) (${MEMORY} offset ${GROWTH_SECONDS}s)`,
        memoryPace: `max by (colour, pod) (deriv(${MEMORY}[${GROWTH_SECONDS}s]))`,
        memoryPaceLately: `max by (colour, pod) (deriv(${MEMORY}[${GROWTH_SECONDS / 2}s]))`,
        up: `sum by (job, colour) (up{${ofJobs}})`,
        targets: `count by (job, colour) (up{${ofJobs}})`,
        // Of the youngest: a Prometheus that was restarted goes on showing for LOOKBACK what is gone since.
        age: `min by (job, colour) (time() - timestamp(up{${ofJobs}}))`,
        unwatched: `max by (job, colour) (${unwatched(processes, span)})`,
    };
    return Object.entries(figures)
        .map(([name, expr]) => `label_replace(${expr}, "figure", "${name}", "", "")`)
        .join(" or ");
}

/**
 * By how much each counter grew, exactly. `increase` guesses what lies beyond the first and the last
 * sample, which doubles a short window's counts, and leaves out what a series has when it first shows:
 * all that a new pod, or the gateway's first 503, has counted. Here each scrape interval gives what it added
 * to the value before it, or everything where there was none, or where a restart put it back below.
 *
 * @param leftOut intervals at which this is anything count nothing
 */
function growth(counter: string, { from, to }: Span, leftOut?: string): string {
    const before = `last_over_time(${counter}[${LOOKBACK}s] offset ${SCRAPE_INTERVAL_SECONDS}s)`;
    // `* 1` takes the name off, as the difference does: both must be one series. A second short of the span,
    // so that its first moment is outside, be the range's left end open (Prometheus 3) or closed (2).
    const added = `${counter} - ${before} >= 0 or ${counter} * 1`;
    const counted = leftOut === undefined ? added : `(${added}) unless on () ${leftOut}`;
    return `sum_over_time((${counted})[${to - from - 1}s:${SCRAPE_INTERVAL_SECONDS}s])`;
}

/** Kubernetes' own count, which no restart of who tells it resets: the pods of today against those at first. */
function restarts({ from }: Span): string {
    const counter = `kube_pod_container_status_restarts_total{${IN_COLOURS},${PODS}}`;
    const now = `max by (namespace, pod) (${counter})`;
    const before = `max by (namespace, pod) (last_over_time(${counter}[${LOOKBACK}s] @ ${from}))`;
    // A moment at which nothing was told must not make all of a pod's life look new.
    return `(${now} - ${before} or ${now}) and on () count(last_over_time(up{${KUBE}}[${LOOKBACK}s] @ ${from}))`;
}

/**
 * The last moment at which a process that runs for longer than LOOKBACK had no sample in it: nobody was there
 * to see what its counters had before, and `growth` takes all of it for new.
 */
function unwatched(started: string, { from, to }: Span): string {
    const unseen = `${started} < time() - ${LOOKBACK} unless last_over_time(${started}[${LOOKBACK}s] offset ${SCRAPE_INTERVAL_SECONDS}s)`;
    return `max_over_time((0 * (${unseen}) + time())[${to - from - 1}s:${SCRAPE_INTERVAL_SECONDS}s])`;
}

/** Prometheus 3 writes an edge of 1 as 1.0. */
function bucketsOf(results: readonly CacheResult[], edges: readonly number[]): string {
    const escaped = edges.map((edge) => `${edge}`.replace(".", "\\\\."));
    const whole = edges.filter((edge) => Number.isInteger(edge)).map((edge) => `${edge}\\\\.0`);
    const le = [...escaped, ...whole, "\\\\+Inf"].join("|");
    return `${METRICS.responseTime}_bucket{${SERVICE},result=~"${results.join("|")}",le=~"${le}"}`;
}
