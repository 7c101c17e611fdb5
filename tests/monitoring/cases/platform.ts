import { JOBS, NAMESPACES } from "@property-search/contract";
import { DEFAULT_THRESHOLDS } from "../../../components/monitoring/alerts/index.ts";
import type { Case } from "../../support/monitoring/cases.ts";
import { counter, gauge, STALE, type Span } from "../../support/monitoring/samples.ts";
import { counterCases, gaugeCases, time } from "./common.ts";

const LABELS = `service="monitoring",namespace="${NAMESPACES.monitoring}"`;
const WELL = gauge([[1, 60]]);
const DISCOVERED = "prometheus_notifications_alertmanagers_discovered";
const NOTIFICATION_ERRORS = "prometheus_notifications_errors_total";
const target = (job: string) =>
    `up{job="${job}",namespace="${NAMESPACES.monitoring}",pod="${job}-0"}`;
const remote = (kind: string) =>
    `prometheus_remote_storage_samples_${kind}_total{remote_name="far"}`;

const tsdb = (part: string) => `prometheus_tsdb_${part}`;
const stored = {
    [tsdb("wal_storage_size_bytes")]: gauge([[150, 60]]),
    [tsdb("head_chunks_storage_size_bytes")]: gauge([[50, 60]]),
};

const restarts = 'kube_pod_container_status_restarts_total{namespace="n",pod="p",container="c"}';

function requests(bad: readonly Span[], perSecond = 10): Record<string, string> {
    const of = (code: number) =>
        `traefik_entrypoint_requests_total{job="${JOBS.gateway}",code="${code}"}`;
    return {
        [of(200)]: counter(
            bad.map(([share, minutes]) => [(1 - share) * perSecond, minutes] as const),
        ),
        [of(503)]: counter(bad.map(([share, minutes]) => [share * perSecond, minutes] as const)),
    };
}

const AT_EDGE = `service="edge",namespace="${NAMESPACES.edge}"`;

export const PLATFORM_CASES: Readonly<Record<string, readonly Case[]>> = {
    Watchdog: [
        {
            why: "fires always",
            series: { other: WELL },
            at: { "0m": [`${LABELS},severity="none"`], "30m": [LABELS] },
        },
    ],
    PrometheusTargetDown: [
        ...gaugeCases({
            series: `up{job="x",namespace="n",pod="p",instance="i"}`,
            good: 1,
            bad: 0,
            minutes: 5,
            labels: 'service="x",namespace="n",pod="p"',
            others: { 'up{job="x",namespace="n",pod="q"}': WELL },
        }),
    ],
    PrometheusTargetMissing: [
        {
            why: "every job has a target",
            series: Object.fromEntries(DEFAULT_THRESHOLDS.jobs.map((job) => [target(job), WELL])),
            at: { "10m": [], "50m": [] },
        },
        ...DEFAULT_THRESHOLDS.jobs.map((missing) => ({
            why: `${missing} disappears and returns`,
            series: Object.fromEntries(
                DEFAULT_THRESHOLDS.jobs.map((job) => [
                    target(job),
                    job === missing ? `1+0x19 stale _x39 1+0x40` : WELL,
                ]),
            ),
            at: {
                "4m": [],
                "9m45s": [],
                "10m15s": [
                    `job="${missing}",service="${missing}",namespace="${NAMESPACES.monitoring}"`,
                ],
                "16m": [],
            },
        })),
        {
            why: "no targets exist",
            series: { other: WELL },
            at: { "6m": DEFAULT_THRESHOLDS.jobs.map((job) => `service="${job}"`) },
        },
    ],
    PrometheusRuleFailures: counterCases({
        series: 'prometheus_rule_evaluation_failures_total{rule_group="g"}',
        minutes: 5,
        labels: `${LABELS},rule_group="g"`,
    }),
    PrometheusConfigReloadFailed: gaugeCases({
        series: "prometheus_config_last_reload_successful",
        good: 1,
        bad: 0,
        minutes: 5,
        labels: LABELS,
    }),
    AlertmanagerConfigReloadFailed: gaugeCases({
        series: 'alertmanager_config_last_reload_successful{pod="a"}',
        good: 1,
        bad: 0,
        minutes: 5,
        labels: LABELS,
        others: { 'alertmanager_config_last_reload_successful{pod="b"}': WELL },
    }).filter(({ why }) => !why.includes("outlive")),
    PrometheusNotificationsFailing: [
        ...counterCases({
            series: `${NOTIFICATION_ERRORS}{alertmanager="a"}`,
            minutes: 5,
            labels: LABELS,
            others: { [DISCOVERED]: WELL },
        }),
        ...gaugeCases({ series: DISCOVERED, good: 1, bad: 0, minutes: 5, labels: LABELS }),
    ],
    AlertmanagerNotificationsFailing: counterCases({
        series: 'alertmanager_notifications_failed_total{integration="slack"}',
        minutes: 5,
        labels: `${LABELS},integration="slack"`,
    }),
    PrometheusVolumeFillingUp: [
        ...gaugeCases({
            series: tsdb("storage_blocks_bytes"),
            good: 890,
            bad: 910,
            minutes: 15,
            labels: LABELS,
            others: { ...stored, [tsdb("retention_limit_bytes")]: gauge([[1000, 60]]) },
        }),
        {
            why: "without a limit there is none to reach",
            series: {
                ...stored,
                [tsdb("storage_blocks_bytes")]: gauge([[1e9, 60]]),
                [tsdb("retention_limit_bytes")]: gauge([[0, 60]]),
            },
            at: { "30m": [] },
        },
    ],
    PrometheusRetentionShortened: [
        {
            why: "fires immediately, and resolves a day after the last deletion",
            series: {
                [tsdb("size_retentions_total")]: counter(
                    [
                        [0, 60],
                        [1 / 60, 1],
                        [0, 1600],
                    ],
                    60,
                ),
            },
            at: { "55m": [], "65m": [LABELS], "1440m": [LABELS], "1510m": [] },
            step: 60,
            every: "5m",
        },
        {
            why: "a restart is no cut",
            series: {
                [tsdb("size_retentions_total")]: counter([[0, 60], "reset", [0, 60]], 60),
            },
            at: { "70m": [] },
            step: 60,
            every: "5m",
        },
    ],
    PrometheusRemoteWriteFailing: [
        ...counterCases({
            series: remote("failed"),
            minutes: 10,
            labels: `${LABELS},remote_name="far"`,
            others: { [remote("dropped")]: counter([[0, 100]]) },
        }),
    ],
    PodRestarting: [
        {
            why: "fires at the second restart in 15 minutes, and resolves",
            series: { [restarts]: "0+0x79 1+0x19 2+0x120" },
            at: {
                "19m": [],
                "21m": [],
                "24m": [],
                "25m30s": ['namespace="n",pod="p",container="c",service="kubernetes"'],
                "41m": [],
            },
        },
        {
            why: "does not outlive its series",
            series: { [restarts]: counter([[0.01, 20], STALE]) },
            at: { "19m": ['pod="p"'], "36m": [] },
        },
    ],
    GatewayErrorRatioHigh: [
        {
            why: "fires after its time, not before, and resolves",
            series: requests([
                [0.06, 10],
                [0, 20],
            ]),
            at: { "2m": [], "2m30s": [AT_EDGE], "10m": [AT_EDGE], [time(16)]: [], "25m": [] },
        },
        {
            why: "what is just good enough is no trouble",
            series: requests([[0.04, 30]]),
            at: { "20m": [] },
        },
        {
            why: "little traffic says nothing, and none neither",
            series: requests(
                [
                    [1, 15],
                    [0, 15],
                ],
                0.04,
            ),
            at: { "10m": [], "29m": [] },
        },
    ],
};
