import {
    thresholdErrors,
    type AlertThresholds,
} from "../components/monitoring/alerts/thresholds.ts";
import type { AlertReceivers } from "../components/monitoring/receivers.ts";
import type { ConfigReader } from "./reader.ts";

/** @param jobs jobs that the stack scrapes in addition to the service. */
export function readAlerts(read: ConfigReader, jobs: AlertThresholds["jobs"]) {
    const { slackUrl, slackChannel, slackCriticalChannel, webhookUrl, watchdogUrl, ...others } =
        read.group("alerts");
    if (slackUrl !== undefined) read.required("alerts.slackChannel", "alerts.slackUrl is set");
    const receivers: AlertReceivers = {
        slackChannel: slackUrl === undefined ? undefined : slackChannel,
        slackCriticalChannel,
        webhookUrl,
        watchdogUrl,
    };
    const { runbookUrl, ...numbers } = others;
    const thresholds: AlertThresholds = { ...numbers, jobs };
    for (const [name, words] of thresholdErrors(thresholds, "alerts.")) {
        read.addError(`alerts.${name}`, words);
    }
    return { slackUrl, receivers, runbookUrl, thresholds };
}
