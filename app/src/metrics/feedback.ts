import {
    FEEDBACK_SOURCES,
    FEEDBACK_VERDICTS,
    METRICS,
    type FeedbackSource,
    type FeedbackVerdict,
} from "@property-search/contract";
import type { Registry } from "prom-client";

import { createFamilies, mapKeys } from "./families.ts";
import { createTenantLabels } from "./tenantLabels.ts";

/** Verdicts of clients on their results. */
export interface FeedbackMetrics {
    readonly onFeedback: (tenant: string, verdict: FeedbackVerdict, source: FeedbackSource) => void;
    /** Initialises the tenants' series at 0. */
    readonly initialiseSeries: (tenants: readonly string[]) => void;
}

export function createFeedbackMetrics(registry: Registry): FeedbackMetrics {
    const { counter } = createFamilies(registry);
    const verdicts = counter(
        METRICS.feedback,
        "Client verdicts on results, by source of the vectors",
    );
    const byTenant = createTenantLabels((tenant) =>
        mapKeys(FEEDBACK_VERDICTS, (verdict) =>
            mapKeys(FEEDBACK_SOURCES, (source) => verdicts.series({ tenant, verdict, source })),
        ),
    );
    return {
        onFeedback: (tenant, verdict, source) => {
            byTenant.get(tenant)[verdict][source].value += 1;
        },
        initialiseSeries: (tenants) => {
            for (const tenant of tenants) byTenant.get(tenant);
        },
    };
}
