import type { NamespaceRole } from "@property-search/contract";
import { DEFAULT_SERVICE } from "./embeddingService.ts";
import { monitoringFootprints } from "./monitoring.ts";
import { namespaceQuotas, type Quota } from "./quotas.ts";
import { DEFAULT_REDIS, redisSize } from "./redis.ts";

/** Quotas for the components with their default arguments, and Grafana. */
export function defaultQuotas(): Record<NamespaceRole, Quota> {
    return namespaceQuotas({
        service: DEFAULT_SERVICE,
        redis: { ...redisSize(DEFAULT_REDIS), storage: DEFAULT_REDIS.storage },
        monitoring: monitoringFootprints({ grafana: true }),
    });
}
