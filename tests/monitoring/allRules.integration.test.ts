import {
    CACHE_RESULTS,
    COLOURS,
    METRICS,
    NAMESPACES,
    TRAFFIC_WEIGHT,
    type Colour,
} from "@property-search/contract";
import { expect, test } from "@jest/globals";

import { DEFAULT_THRESHOLDS, ruleFiles } from "../../components/monitoring/alerts/index.ts";
import { testRules } from "../support/monitoring/promtool.ts";
import { counter, gauge } from "../support/monitoring/samples.ts";

const MINUTES = 40;
const steady = (perSecond: number) => counter([[perSecond, MINUTES]]);
const level = (value: number) => gauge([[value, MINUTES]]);

/** @returns how many alerts of each name fire by all rules together. */
async function firing(
    series: Readonly<Record<string, string>>,
    minutes: number,
    expected: Readonly<Record<string, number>>,
): Promise<void> {
    const { code, output } = await testRules([
        {
            rules: ruleFiles(),
            interval: "15s",
            tests: [
                {
                    name: "all rules together",
                    interval: "15s",
                    input_series: Object.entries(series).map(([name, values]) => ({
                        series: name,
                        values,
                    })),
                    promql_expr_test: [
                        {
                            expr: 'count by (alertname) (ALERTS{alertstate="firing"})',
                            eval_time: `${minutes}m`,
                            exp_samples: Object.entries(expected).map(([name, value]) => ({
                                labels: `{alertname="${name}"}`,
                                value,
                            })),
                        },
                    ],
                },
            ],
        },
    ]);
    expect({ code, output }).toEqual({ code: 0, output: expect.stringContaining("SUCCESS") });
}

/** A colour with a constant request rate and 90 % hits. */
function pod(colour: Colour, perSecond: number): Record<string, string> {
    const labels = `colour="${colour}",namespace="${NAMESPACES[colour]}",pod="${colour}-a"`;
    const of = (metric: string, more = "") => `${metric}{${labels}${more}}`;
    const deployment = `namespace="${NAMESPACES[colour]}",deployment="embedding-service-${colour}"`;
    const hpa = `namespace="${NAMESPACES[colour]}",horizontalpodautoscaler="embedding-service-${colour}"`;
    const share = { hit_l1: 0.9, miss: 0.1 };
    return {
        [`up{job="embedding-service",${labels}}`]: level(1),
        ...Object.fromEntries(
            CACHE_RESULTS.map((result) => [
                of(METRICS.lookups, `,result="${result}"`),
                steady((result in share ? share[result as keyof typeof share] : 0) * perSecond),
            ]),
        ),
        [of(METRICS.requests, ',code="200"')]: steady(perSecond),
        [of(METRICS.requests, ',code="503"')]: steady(0),
        ...Object.fromEntries(
            ["0.05", "0.5", "+Inf"].map((le) => [
                of(`${METRICS.responseTime}_bucket`, `,result="hit_l1",le="${le}"`),
                steady(perSecond),
            ]),
        ),
        [of(`${METRICS.responseTime}_count`, ',result="hit_l1"')]: steady(perSecond),
        [of(METRICS.costSaved, ',tenant="t",result="hit_l1"')]: steady(0.001 * perSecond),
        [of(METRICS.costBilled, ',tenant="t",purpose="refresh"')]: steady(0),
        [of(METRICS.overheadRate, ',kind="pod"')]: level(0.05),
        [of(METRICS.overheadRate, ',kind="storage"')]: level(0.1),
        [of(METRICS.redisUp)]: level(1),
        [of(METRICS.redisDropped, ',reason="full"')]: steady(0),
        [of(METRICS.redisCorrupt)]: steady(0),
        [of(METRICS.upstreamAttempts, ',endpoint="e",outcome="ok"')]: steady(0.1 * perSecond),
        [of(METRICS.upstreamAttempts, ',endpoint="e",outcome="upstream_error"')]: steady(0),
        [of(METRICS.upstreamOverloaded)]: steady(0),
        [`kube_deployment_spec_replicas{${deployment}}`]: level(1),
        [`kube_deployment_status_replicas_available{${deployment}}`]: level(1),
        [`kube_horizontalpodautoscaler_spec_min_replicas{${hpa}}`]: level(1),
        [`kube_horizontalpodautoscaler_spec_max_replicas{${hpa}}`]: level(4),
        [`kube_horizontalpodautoscaler_status_current_replicas{${hpa}}`]: level(1),
        [`kube_horizontalpodautoscaler_status_condition{${hpa},condition="ScalingActive",status="false"}`]:
            level(0),
        [`kube_pod_container_status_restarts_total{${labels},container="c"}`]: level(3),
    };
}

const PLATFORM: Readonly<Record<string, string>> = {
    ...Object.fromEntries(
        DEFAULT_THRESHOLDS.jobs.map((job) => [`up{job="${job}",namespace="n",pod="p"}`, level(1)]),
    ),
    ...Object.fromEntries(
        COLOURS.map((colour) => [
            `${TRAFFIC_WEIGHT}{colour="${colour}"}`,
            level(colour === "blue" ? 100 : 0),
        ]),
    ),
    'redis_up{instance="r"}': level(1),
    'redis_memory_used_bytes{instance="r"}': level(50),
    'redis_memory_max_bytes{instance="r"}': level(100),
    'redis_evicted_keys_total{instance="r"}': steady(0),
    'redis_rejected_connections_total{instance="r"}': steady(0),
    'redis_master_link_up{instance="r"}': level(1),
    'redis_cluster_state{instance="r"}': level(1),
    'traefik_tls_certs_not_after{cn="one"}': level(90 * 86_400),
    'certmanager_certificate_ready_status{name="one",condition="False"}': level(0),
    'traefik_entrypoint_requests_total{job="gateway",code="200"}': steady(10),
    'traefik_entrypoint_requests_total{job="gateway",code="503"}': steady(0),
    'prometheus_rule_evaluation_failures_total{rule_group="g"}': steady(0),
    prometheus_config_last_reload_successful: level(1),
    alertmanager_config_last_reload_successful: level(1),
    prometheus_notifications_errors_total: steady(0),
    prometheus_notifications_alertmanagers_discovered: level(1),
    'alertmanager_notifications_failed_total{integration="webhook"}': steady(0),
    prometheus_tsdb_storage_blocks_bytes: level(500),
    prometheus_tsdb_wal_storage_size_bytes: level(100),
    prometheus_tsdb_head_chunks_storage_size_bytes: level(100),
    prometheus_tsdb_retention_limit_bytes: level(1000),
    prometheus_tsdb_size_retentions_total: level(0),
};

test("only the Watchdog fires on a healthy stack", async () => {
    await firing({ ...PLATFORM, ...pod("blue", 10), ...pod("green", 0) }, MINUTES - 1, {
        Watchdog: 1,
    });
});

test("without data, Prometheus alerts once for each missing target", async () => {
    await firing({ unused: level(1) }, 10, {
        ServiceDown: 1,
        PrometheusTargetMissing: DEFAULT_THRESHOLDS.jobs.length,
        Watchdog: 1,
    });
});

test("if only the service is down, only its alerts fire", async () => {
    await firing(PLATFORM, 10, { ServiceDown: 1, Watchdog: 1 });
});
