import { SERVICE_SETTINGS } from "@property-search/contract/settings";
import type { InsightsSettings } from "../components/insights.ts";
import type { MonitoringConfig } from "./monitoring.ts";
import type { ConfigReader } from "./reader.ts";
import { INSIGHTS } from "./settings/insights.ts";
import { GENERATED } from "./settings/row.ts";

/** Without monitoring, they are not there: they read the metrics that it collects. */
export interface InsightsConfig extends InsightsSettings {
    /** Whether the Gateway serves the page. */
    readonly expose: boolean;
}

/** @returns undefined if the stack has no insights. */
export function readInsights(
    read: ConfigReader,
    { existing }: MonitoringConfig,
): InsightsConfig | undefined {
    const { automationToken: row } = SERVICE_SETTINGS;
    const { enabled, image, ...settings } = read.group("insights");
    if (!enabled) {
        // Checked all the same. A stack that was deployed before insights existed has none.
        read.secret(row.key, row);
        return undefined;
    }
    const { required } = GENERATED;
    const accessRow = INSIGHTS["insights.accessToken"];
    return {
        ...settings,
        accessToken: read.requiredSecret("insights.accessToken", accessRow, required),
        automationToken: read.requiredSecret(row.key, row, required),
        image: image ?? read.required("insights.image", "insights.enabled is true"),
        prometheus: existing && { url: existing.url, authorized: existing.token !== undefined },
    };
}
