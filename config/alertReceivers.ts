/** Key of Slack's URL, which Pulumi.yaml cannot declare as a secret, since it may be left out. */
export const SLACK_URL = "alerts.slackUrl";

const DOCUMENTED = "(docs/monitoring/alerts.md)";

/** Says that the alerts of the stack's own Alertmanager reach nobody, or that nobody notices when they end. */
export function receiverWarnings(valueOf: (key: string) => string | undefined): string[] {
    const isOurs =
        valueOf("monitoring.enabled") === "true" && valueOf("prometheus.source") === "stack";
    if (!isOurs) return [];
    if (valueOf(SLACK_URL) === undefined && valueOf("alerts.webhookUrl") === undefined) {
        return [
            `alerts reach nobody: neither ${SLACK_URL} nor alerts.webhookUrl is set ${DOCUMENTED}`,
        ];
    }
    if (valueOf("alerts.watchdogUrl") !== undefined) return [];
    return [
        `nobody notices when alerting itself fails: alerts.watchdogUrl is not set ${DOCUMENTED}`,
    ];
}
