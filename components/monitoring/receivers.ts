/** Destinations of Alertmanager's notifications. */
export interface AlertReceivers {
    /**
     * Channel of the Slack workspace whose webhook URL is the secret `slackUrl`.
     * @default none: nothing is sent to Slack
     */
    readonly slackChannel?: string | undefined;
    /**
     * Slack channel for critical alerts.
     * @default slackChannel
     */
    readonly slackCriticalChannel?: string | undefined;
    /**
     * URL that receives every alert as JSON.
     * @default none
     */
    readonly webhookUrl?: string | undefined;
    /**
     * URL that receives the Watchdog alert every minute; a service there alerts when it stops.
     * @default none
     */
    readonly watchdogUrl?: string | undefined;
}

/** Mount path of the Secret in Alertmanager's pods. */
export const ALERTMANAGER_FOLDER = "/run/alertmanager-config";
export const SLACK_URL_KEY = "slack-url";
