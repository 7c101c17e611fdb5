import { INSIGHTS_NAMES, NAMESPACES } from "@property-search/contract";
import type { Case } from "../../support/monitoring/cases.ts";
import { gauge, STALE } from "../../support/monitoring/samples.ts";

const NAMESPACE = `namespace="${NAMESPACES.monitoring}"`;
const LABELS = `service="insights",${NAMESPACE}`;
const CRON_JOB = `{${NAMESPACE},cronjob="${INSIGHTS_NAMES.daily}"}`;
const SUCCESS = `kube_cronjob_status_last_successful_time${CRON_JOB}`;
const CREATED = `kube_cronjob_created${CRON_JOB}`;
const started = (job: string) => `kube_job_status_start_time{${NAMESPACE},job_name="${job}"}`;
const failed = (job: string, condition = "true") =>
    `kube_job_failed{${NAMESPACE},job_name="${job}",condition="${condition}"}`;
const JOB = `${INSIGHTS_NAMES.daily}-1`;

/** A sample a minute, evaluated every five. */
const DAYS = { step: 60, every: "5m" } as const;
const minutes = (...spans: Parameters<typeof gauge>[0]) => gauge(spans, 60);

/** The run of minute 120 ends in a failure at minute 125. */
function failure(job: string, condition?: string): Record<string, string> {
    return {
        [started(job)]: "_x119 7200+0x300",
        [failed(job, condition)]: "_x124 1+0x300",
    };
}

export const INSIGHTS_CASES: Readonly<Record<string, readonly Case[]>> = {
    InsightsDailyRunFailed: [
        {
            ...DAYS,
            why: "a run that succeeds each day is well",
            series: {
                [SUCCESS]: minutes([0, 1440], [86_400, 1440]),
                [CREATED]: minutes([0, 2880]),
            },
            at: { "1400m": [], "1600m": [], "2800m": [] },
        },
        {
            ...DAYS,
            why: "fires 26 hours after the last success, and resolves with the next one",
            series: { [SUCCESS]: minutes([0, 1600], [96_000, 60]), [CREATED]: minutes([0, 1660]) },
            at: { "1560m": [], "1565m": [], "1570m": [LABELS], "1595m": [LABELS], "1600m": [] },
        },
        {
            ...DAYS,
            why: "fires 26 hours after the creation if no run has ever succeeded",
            series: { [CREATED]: minutes([3600, 1700]) },
            at: { "1600m": [], "1625m": [], "1630m": [LABELS] },
        },
        {
            ...DAYS,
            why: "fires when a run has failed, and resolves when a later one succeeds",
            series: { ...failure(JOB), [SUCCESS]: minutes([60, 180], [10_800, 120]) },
            at: { "120m": [], "125m": [], "130m": [LABELS], "175m": [LABELS], "180m": [] },
        },
        {
            ...DAYS,
            why: "fires when the first run has failed",
            series: { ...failure(JOB), [CREATED]: minutes([60, 300]) },
            at: { "120m": [], "130m": [LABELS], "200m": [LABELS] },
        },
        {
            ...DAYS,
            why: "a failure before the last success is history",
            series: {
                ...failure(JOB),
                [SUCCESS]: minutes([7260, 300]),
                [CREATED]: minutes([0, 300]),
            },
            at: { "130m": [], "200m": [] },
        },
        {
            ...DAYS,
            why: "a running job, another condition and other jobs are no failure",
            series: {
                ...failure(JOB, "false"),
                ...failure("redis-cluster-formation-repair-1"),
                [started(`${INSIGHTS_NAMES.daily}-2`)]: "_x119 7200+0x300",
                [failed(`${INSIGHTS_NAMES.daily}-3`)]: minutes([0, 300]),
                [started(`${INSIGHTS_NAMES.daily}-3`)]: minutes([7200, 300]),
                [SUCCESS]: minutes([60, 300]),
            },
            at: { "130m": [], "200m": [] },
        },
        {
            ...DAYS,
            why: "does not outlive its series",
            series: { [SUCCESS]: minutes([0, 1600], STALE) },
            at: { "1595m": [LABELS], "1605m": [] },
        },
    ],
};
