import type { AlertThresholds } from "../alerts/thresholds.ts";

export interface DashboardsOptions {
    /** Panels turn orange and red where alerts fire; panels of jobs that the stack does not scrape are omitted. */
    readonly thresholds: AlertThresholds;
    /** The autoscaler's target of misses per second and pod; undefined if it scales on CPU alone. */
    readonly missesPerPod?: number | undefined;
    /** URL of the folder of the runbooks; undefined: alerts have no links. */
    readonly runbooks?: string | undefined;
}
