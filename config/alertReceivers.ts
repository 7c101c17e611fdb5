const DOCUMENTED = "(docs/monitoring/alerts.md)";

/** Says that the alerts of the stack's own Alertmanager reach nobody, or that nobody notices when they end. */
export function receiverWarnings(valueOf: (key: string) => string | undefined): string[] {
    const isOurs =
        valueOf("monitoring.enabled") === "true" && valueOf("prometheus.source") === "stack";
    if (!isOurs) return [];
    if (valueOf("alerts.slackUrl") === undefined && valueOf("alerts.webhookUrl") === undefined) {
        return [
            `alerts reach nobody: neither alerts.slackUrl nor alerts.webhookUrl is set ${DOCUMENTED}`,
        ];
    }
    if (valueOf("alerts.watchdogUrl") !== undefined) return [];
    return [
        `nobody notices when alerting itself fails: alerts.watchdogUrl is not set ${DOCUMENTED}`,
    ];
}
