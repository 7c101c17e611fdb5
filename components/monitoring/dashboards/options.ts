import type { AlertThresholds } from "../alerts/thresholds.ts";

export interface DashboardsOptions {
    /** Figures turn orange and red where alerts fire; what the stack does not scrape is not shown. */
    readonly thresholds: AlertThresholds;
    /** Misses a second that the autoscaler aims at for each pod; absent where it scales on CPU alone. */
    readonly missesPerPod?: number | undefined;
    /** URL below which each alert has its page, under its name; absent: alerts have no links. */
    readonly runbooks?: string | undefined;
}
