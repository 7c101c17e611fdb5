/** Whom Alertmanager tells. What is undefined is not told. */
export interface AlertReceivers {
    /** A channel of the Slack workspace whose URL stands in SLACK_URL_FILE. */
    readonly slackChannel: string | undefined;
    /** Gets every alert. */
    readonly webhookUrl: string | undefined;
    /** Gets the Watchdog, and raises the alarm when it stops. */
    readonly watchdogUrl: string | undefined;
}

/** Where Alertmanager's pod finds its Secret. */
export const ALERTMANAGER_FOLDER = "/run/alertmanager-config";
export const SLACK_URL_FILE = `${ALERTMANAGER_FOLDER}/slack-url`;
