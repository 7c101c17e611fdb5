import { INSIGHTS_NAMES, NAMESPACES } from "@property-search/contract";
import { alert, type Alert } from "./rules.ts";

/** A day, and two hours for a run with its retries. */
const OVERDUE_HOURS = 26;

/** Alerts on the daily run of insights. Without insights, none of the series exist. */
export function insightsAlerts(): Alert[] {
    const namespace = NAMESPACES.monitoring;
    const cronJob = `{namespace="${namespace}",cronjob="${INSIGHTS_NAMES.daily}"}`;
    const job = (more = "") =>
        `{namespace="${namespace}",job_name=~"${INSIGHTS_NAMES.daily}-.+"${more}}`;
    const lastSuccess = `max(kube_cronjob_status_last_successful_time${cronJob} or kube_cronjob_created${cronJob})`;
    return [
        alert("InsightsDailyRunFailed", {
            service: "insights",
            namespace,
            topic: "daily-run",
            expr: `max(kube_job_status_start_time${job()} and on (job_name) kube_job_failed${job(',condition="true"')} == 1)
                   > ${lastSuccess}
                   or time() - ${lastSuccess} > ${OVERDUE_HOURS * 3600}`,
            for: "5m",
            severity: "warning",
            summary: "The daily analysis has no new report",
            description: `The latest run of CronJob ${INSIGHTS_NAMES.daily} failed, or none has succeeded for ${OVERDUE_HOURS} hours.`,
        }),
    ];
}
