import * as pulumi from "@pulumi/pulumi";

/** Whom Alertmanager tells. What is undefined is not told. */
export interface AlertReceivers {
    /** A channel of the Slack workspace whose URL the stack holds as a secret. */
    readonly slackChannel: string | undefined;
    /** For what wakes somebody. Undefined: the same channel. */
    readonly slackCriticalChannel: string | undefined;
    /** Gets every alert. */
    readonly webhookUrl: string | undefined;
    /** Gets the Watchdog, and raises the alarm when it stops. */
    readonly watchdogUrl: string | undefined;
}

/** Where Alertmanager's pod finds its Secret. */
export const ALERTMANAGER_FOLDER = "/run/alertmanager-config";
export const SLACK_URL_KEY = "slack-url";

/** Says in previews and deploys that a stack's alerts reach nobody, or that nobody notices when they end. */
export function warnWithoutReceivers(receivers: AlertReceivers): void {
    for (const words of receiverWarnings(receivers)) void pulumi.log.warn(words);
}

export function receiverWarnings(receivers: AlertReceivers): string[] {
    const { slackChannel, webhookUrl, watchdogUrl } = receivers;
    if (slackChannel === undefined && webhookUrl === undefined) {
        return [
            "alerts reach nobody: neither alerts.slackUrl nor alerts.webhookUrl is set " +
                "(docs/monitoring/alerts.md)",
        ];
    }
    if (watchdogUrl !== undefined) return [];
    return [
        "nobody notices when alerting itself fails: alerts.watchdogUrl is not set " +
            "(docs/monitoring/alerts.md)",
    ];
}
