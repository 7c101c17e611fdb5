import { certificateAlerts, certificateRecords } from "./certificates.ts";
import { moneyAlerts } from "./money.ts";
import { platformAlerts } from "./platform.ts";
import { recordingRules } from "./recording.ts";
import { redisAlerts } from "./redis.ts";
import type { Alert, RecordingRule, RuleFile } from "./rules.ts";
import { serviceAlerts } from "./service.ts";
import { objectiveAlerts } from "./slo.ts";
import { checkThresholds, DEFAULT_THRESHOLDS, type AlertThresholds } from "./thresholds.ts";

export type { AlertingRule, RecordingRule, Rule, RuleFile, RuleGroup } from "./rules.ts";
export { ruleTexts } from "./rules.ts";
export { DEFAULT_THRESHOLDS, type AlertThresholds } from "./thresholds.ts";

/** Where the alerts' pages stand, relative to the repository. */
export const RUNBOOKS = "docs/runbooks";

/**
 * Prometheus' rules, by file name.
 *
 * @param runbooks URL of the folder with the alerts' pages, without a slash at its end
 * @throws Error that names each threshold that is wrong, its value and what is allowed
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
        "service.yml": file("service", serviceAlerts(thresholds)),
        "money.yml": file("money", moneyAlerts(thresholds)),
        "objectives.yml": file("objectives", objectiveAlerts(thresholds)),
        "redis.yml": file("redis", redisAlerts(thresholds)),
        "certificates.yml": file(
            "certificates",
            certificateAlerts(thresholds),
            certificateRecords(),
        ),
        "platform.yml": file("platform", platformAlerts(thresholds)),
    };
}
