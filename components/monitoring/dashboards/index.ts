import { DEFAULT_THRESHOLDS } from "../alerts/thresholds.ts";
import { costDashboard } from "./cost.ts";
import type { DashboardsOptions } from "./options.ts";
import { redisDashboard } from "./redis.ts";
import { releaseDashboard } from "./release.ts";
import { serviceDashboard } from "./service.ts";

export type { DashboardsOptions } from "./options.ts";

/** @returns the dashboards as JSON for Grafana, by file name. */
export function dashboards(
    options: Partial<DashboardsOptions> = {},
): Readonly<Record<string, object>> {
    const all = { thresholds: DEFAULT_THRESHOLDS, ...options };
    return {
        "service.json": serviceDashboard(all),
        "release.json": releaseDashboard(all),
        "cost.json": costDashboard(all),
        "redis.json": redisDashboard(all),
    };
}
