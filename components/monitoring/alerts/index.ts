import { certificateAlerts, certificateRecords } from "./certificates.ts";
import { costAlerts } from "./cost.ts";
import { insightsAlerts } from "./insights.ts";
import { platformAlerts } from "./platform.ts";
import { recordingRules } from "./recording.ts";
import { redisAlerts } from "./redis.ts";
import type { Alert, RecordingRule, RuleFile } from "./rules.ts";
import { semanticAlerts } from "./semantic.ts";
import { serviceAlerts } from "./service.ts";
import { objectiveAlerts } from "./slo.ts";
import { checkThresholds, DEFAULT_THRESHOLDS, type AlertThresholds } from "./thresholds.ts";

export type { AlertingRule, RecordingRule, Rule, RuleFile } from "./rules.ts";
export { ruleTexts } from "./rules.ts";
export { DEFAULT_THRESHOLDS, type AlertThresholds } from "./thresholds.ts";

/** Folder of the runbooks, relative to the repository. */
export const RUNBOOKS = "docs/runbooks";

/**
 * Prometheus rule files, by file name.
 *
 * @param runbooks URL of the folder with the runbooks, without a trailing slash
 * @throws Error that names each invalid threshold, its value and the allowed values
 */
export function ruleFiles(
    thresholds: AlertThresholds = DEFAULT_THRESHOLDS,
    runbooks = RUNBOOKS,
): Readonly<Record<string, RuleFile>> {
    checkThresholds(thresholds);
    const file = (
        subject: string,
        alerts: readonly Alert[],
        records: readonly RecordingRule[] = [],
    ): RuleFile => ({
        groups: [
            {
                name: `${subject}.alerts`,
                rules: [
                    ...records,
                    ...alerts.map((alert) => ({
                        ...alert,
                        annotations: {
                            ...alert.annotations,
                            runbook_url: `${runbooks}/${alert.alert}.md`,
                        },
                    })),
                ],
            },
        ],
    });
    return {
        "recording.yml": recordingRules(thresholds),
        "service.yml": file("service", [...serviceAlerts(thresholds), ...semanticAlerts()]),
        "cost.yml": file("cost", costAlerts(thresholds)),
        "objectives.yml": file("objectives", objectiveAlerts(thresholds)),
        "redis.yml": file("redis", redisAlerts(thresholds)),
        "certificates.yml": file(
            "certificates",
            certificateAlerts(thresholds),
            certificateRecords(),
        ),
        "platform.yml": file("platform", platformAlerts(thresholds)),
        "insights.yml": file("insights", insightsAlerts()),
    };
}
