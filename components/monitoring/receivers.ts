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
