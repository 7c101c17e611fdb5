import {
    METRICS,
    RELEASE_INFO,
    SCRAPE_INTERVAL_SECONDS,
    SERIES,
    TRAFFIC_WEIGHT,
} from "@property-search/contract";
import type { SyntaxNode } from "@lezer/common";
import { parser } from "@prometheus-io/lezer-promql";

/** What a metric is, as far as PromQL may treat it. */
export type MetricKind = "counter" | "gauge" | "histogram";

export interface LintOptions {
    /** Names of recorded series. */
    readonly recorded: ReadonlySet<string>;
    readonly metrics?: ReadonlyMap<string, MetricKind>;
}

/** Grafana's variables, each with an example value. */
const VARIABLES: readonly (readonly [RegExp, string])[] = [
    [/\$\{?__rate_interval\}?/g, `${4 * SCRAPE_INTERVAL_SECONDS}s`],
    [/\$\{?__(range|interval)\}?/g, "1h"],
    [/\$\{?\w+(:\w+)?\}?/g, "value"],
];

const RATES = new Set(["rate", "irate", "increase"]);
const SET_OPERATORS = new Set(["And", "Or", "Unless"]);
const FLIPPED: Readonly<Record<string, string>> = {
    "<": ">",
    ">": "<",
    "<=": ">",
    ">=": "<",
    "==": "!=",
    "!=": "==",
};

/** @returns what is wrong with an expression of a rule or a panel; nothing where it is fine. */
export function lintQuery(source: string, options: LintOptions): string[] {
    const expr = VARIABLES.reduce((text, [name, value]) => text.replaceAll(name, value), source);
    const { metrics = KNOWN_METRICS, recorded } = options;
    const problems: string[] = [];
    for (const node of nodes(expr)) {
        if (node.type.isError)
            problems.push(`does not parse at ${JSON.stringify(rest(expr, node))}`);
        else if (node.name === "FunctionCall") problems.push(...lintCall(expr, node, metrics));
        else if (node.name === "VectorSelector") {
            const name = nameOf(expr, node);
            if (!recorded.has(name) && kindOf(name, metrics) === undefined) {
                problems.push(`reads ${name}, which is neither exported nor recorded`);
            }
        }
    }
    return problems;
}

function lintCall(
    expr: string,
    call: SyntaxNode,
    metrics: ReadonlyMap<string, MetricKind>,
): string[] {
    const called = text(expr, call.getChild("FunctionIdentifier"));
    if (called === "histogram_quantile") return lintQuantile(expr, call);
    if (!RATES.has(called)) return [];
    const problems = below(call)
        .filter(({ name }) => name === "AggregateExpr")
        .map(() => `${called} of an aggregate hides each counter's resets`);
    for (const node of below(call)) {
        if (node.name === "VectorSelector") {
            const name = nameOf(expr, node);
            if (name.includes(":") || kindOf(name, metrics) === "gauge") {
                problems.push(`${called} of ${name}, which is no counter`);
            }
        }
        if (node.name === "MatrixSelector") {
            const window = text(expr, node.getChild("DurationExpr"));
            if (secondsOf(window) < 4 * SCRAPE_INTERVAL_SECONDS) {
                problems.push(
                    `${called} over ${window}, less than four scrapes of ${SCRAPE_INTERVAL_SECONDS} s`,
                );
            }
        }
    }
    return problems;
}

/** A quantile is of buckets that were rated, and that kept `le` when they were added up. */
function lintQuantile(expr: string, call: SyntaxNode): string[] {
    const inside = below(call);
    const problems: string[] = [];
    const selectors = inside.filter(({ name }) => name === "VectorSelector");
    const rated = inside.some(
        (node) =>
            node.name === "FunctionCall" &&
            RATES.has(text(expr, node.getChild("FunctionIdentifier"))),
    );
    const recorded = selectors.every((node) => /_bucket:rate\w+$/.test(nameOf(expr, node)));
    if (!rated && !recorded)
        problems.push("histogram_quantile without rate is of a whole lifetime");
    for (const aggregate of inside.filter(({ name }) => name === "AggregateExpr")) {
        const modifier = aggregate.getChild("AggregateModifier");
        const labels = modifier?.getChild("GroupingLabels")?.getChildren("LabelName") ?? [];
        const keeps = labels.some((label) => text(expr, label) === "le");
        if (modifier?.getChild("Without") ? keeps : !keeps) {
            problems.push("histogram_quantile of buckets that lost le");
        }
    }
    return problems;
}

/** @returns the names of all series that the expression reads. */
export function seriesOf(expr: string): string[] {
    return nodes(expr)
        .filter(({ name }) => name === "VectorSelector")
        .map((node) => nameOf(expr, node));
}

export interface Mutant {
    readonly what: string;
    readonly expr: string;
}

/** @returns the expression with each comparison turned around, and with each side of a set operator alone. */
export function mutants(expr: string): Mutant[] {
    return nodes(expr)
        .filter(({ name }) => name === "BinaryExpr")
        .flatMap((node) => {
            const left = node.firstChild;
            const operator = left?.nextSibling;
            const right = node.lastChild;
            if (!left || !operator || !right) return [];
            const swap = (from: SyntaxNode, by: string): string =>
                expr.slice(0, from.from) + by + expr.slice(from.to);
            const sign = text(expr, operator);
            const flipped = FLIPPED[sign];
            if (flipped !== undefined) {
                return [
                    { what: `"${sign}" turned at ${operator.from}`, expr: swap(operator, flipped) },
                ];
            }
            if (!SET_OPERATORS.has(operator.name)) return [];
            const alone = (side: SyntaxNode, what: string): Mutant => ({
                what: `${what} dropped at ${operator.from}`,
                expr: swap(node, text(expr, side)),
            });
            return operator.name === "Or"
                ? [alone(left, "or's right side"), alone(right, "or's left side")]
                : [alone(left, `${sign}'s guard`)];
        });
}

function nodes(expr: string): SyntaxNode[] {
    const top = parser.parse(expr).topNode;
    return [top, ...below(top)];
}

function below(node: SyntaxNode): SyntaxNode[] {
    const all: SyntaxNode[] = [];
    for (let child = node.firstChild; child; child = child.nextSibling) {
        all.push(child, ...below(child));
    }
    return all;
}

function text(expr: string, node: SyntaxNode | null): string {
    return node ? expr.slice(node.from, node.to) : "";
}

function rest(expr: string, node: SyntaxNode): string {
    return expr.slice(node.from, node.from + 20);
}

function nameOf(expr: string, selector: SyntaxNode): string {
    return text(expr, selector.getChild("Identifier"));
}

const UNITS: Readonly<Record<string, number>> = {
    ms: 0.001,
    s: 1,
    m: 60,
    h: 3600,
    d: 86_400,
    w: 604_800,
    y: 31_536_000,
};

export function secondsOf(duration: string): number {
    return [...duration.matchAll(/(\d+)(ms|[smhdwy])/g)].reduce(
        (sum, [, count, unit]) => sum + Number(count) * (UNITS[unit ?? ""] ?? NaN),
        0,
    );
}

function kindOf(name: string, metrics: ReadonlyMap<string, MetricKind>): MetricKind | undefined {
    const own = metrics.get(name);
    if (own !== undefined && own !== "histogram") return own;
    const family = /^(.+)_(bucket|count|sum)$/.exec(name)?.[1];
    return family !== undefined && metrics.get(family) === "histogram" ? "counter" : undefined;
}

const HISTOGRAMS: ReadonlySet<string> = new Set([
    METRICS.responseTime,
    METRICS.redisOperationTime,
    METRICS.upstreamAttemptTime,
    METRICS.semanticLookupTime,
    METRICS.ghostReuseTime,
    METRICS.ghostReuseDistance,
]);

/** Of the exporters that the platform scrapes, what its rules and dashboards use. */
const EXPORTED: Readonly<Record<MetricKind, readonly string[]>> = {
    counter: [
        "alertmanager_notifications_failed_total",
        "alertmanager_notifications_total",
        "container_cpu_usage_seconds_total",
        "kube_pod_container_status_restarts_total",
        "process_cpu_seconds_total",
        "prometheus_notifications_errors_total",
        "prometheus_remote_storage_samples_dropped_total",
        "prometheus_remote_storage_samples_failed_total",
        "prometheus_rule_evaluation_failures_total",
        "prometheus_tsdb_head_samples_appended_total",
        "prometheus_tsdb_size_retentions_total",
        "redis_commands_processed_total",
        "redis_commands_total",
        "redis_commands_duration_seconds_total",
        "redis_evicted_keys_total",
        "redis_expired_keys_total",
        "redis_keyspace_hits_total",
        "redis_keyspace_misses_total",
        "redis_net_input_bytes_total",
        "redis_net_output_bytes_total",
        "redis_rejected_connections_total",
        "traefik_entrypoint_requests_total",
        "traefik_service_requests_total",
    ],
    gauge: [
        "ALERTS",
        "alertmanager_config_last_reload_successful",
        "certmanager_certificate_expiration_timestamp_seconds",
        "certmanager_certificate_ready_status",
        "kube_cronjob_created",
        "kube_cronjob_status_last_successful_time",
        "kube_deployment_spec_replicas",
        "kube_deployment_status_replicas",
        "kube_deployment_status_replicas_available",
        "kube_deployment_status_replicas_ready",
        "kube_horizontalpodautoscaler_spec_max_replicas",
        "kube_horizontalpodautoscaler_spec_min_replicas",
        "kube_horizontalpodautoscaler_status_condition",
        "kube_horizontalpodautoscaler_status_current_replicas",
        "kube_horizontalpodautoscaler_status_desired_replicas",
        "kube_job_failed",
        "kube_job_status_start_time",
        "kube_pod_container_resource_limits",
        "kube_pod_container_resource_requests",
        "kube_pod_status_ready",
        "nodejs_eventloop_lag_p99_seconds",
        "process_resident_memory_bytes",
        "process_start_time_seconds",
        "prometheus_config_last_reload_successful",
        "prometheus_notifications_alertmanagers_discovered",
        "prometheus_tsdb_head_chunks_storage_size_bytes",
        "prometheus_tsdb_head_series",
        "prometheus_tsdb_retention_limit_bytes",
        "prometheus_tsdb_storage_blocks_bytes",
        "prometheus_tsdb_wal_storage_size_bytes",
        "redis_blocked_clients",
        "redis_cluster_slots_fail",
        "redis_cluster_slots_ok",
        "redis_cluster_state",
        "redis_connected_clients",
        "redis_connected_slaves",
        "redis_db_keys",
        "redis_db_keys_expiring",
        "redis_instance_info",
        "redis_master_link_up",
        "redis_maxmemory",
        "redis_memory_max_bytes",
        "redis_memory_used_bytes",
        "redis_mem_fragmentation_ratio",
        "redis_up",
        "redis_uptime_in_seconds",
        "traefik_tls_certs_not_after",
        "up",
    ],
    histogram: ["nodejs_gc_duration_seconds", "traefik_service_request_duration_seconds"],
};

/** Every metric that a rule or a panel may read, by name. */
export const KNOWN_METRICS: ReadonlyMap<string, MetricKind> = new Map([
    ...(Object.values(METRICS) as string[]).map((name): [string, MetricKind] => [
        name,
        HISTOGRAMS.has(name) ? "histogram" : name.endsWith("_total") ? "counter" : "gauge",
    ]),
    [TRAFFIC_WEIGHT, "gauge"] as const,
    [RELEASE_INFO, "gauge"] as const,
    ...(["counter", "gauge", "histogram"] as const).flatMap((kind) =>
        EXPORTED[kind].map((name): [string, MetricKind] => [name, kind]),
    ),
]);

/** Names of SERIES, whatever their depth. */
export function seriesNames(from: object = SERIES): string[] {
    return Object.values(from).flatMap((value: unknown) =>
        typeof value === "string" ? [value] : seriesNames(value as object),
    );
}
