const DOCUMENTED = "(docs/monitoring/alerts.md)";

/** Warns if the stack's own Alertmanager notifies nobody, or if nobody would notice that alerting has stopped. */
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
