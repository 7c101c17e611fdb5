import { exampleQuota } from "../components/example.ts";
import { insightsFootprints } from "../components/insights.ts";
import { monitoringFootprints } from "../components/monitoring.ts";
import type { NamespacesArgs } from "../components/namespaces.ts";
import {
    certManagerNamespacePolicies,
    exampleNamespacePolicies,
} from "../components/networkPolicies.ts";
import {
    certManagerEntityPolicies,
    exampleEntityPolicies,
} from "../components/networkPolicies/entities.ts";
import { namespaceQuotas } from "../components/quotas.ts";
import { redisSize } from "../components/redis.ts";
import { certManagerConnections, allowedConnections } from "./traffic.ts";
import type { StackConfig } from "../config.ts";

/** Quotas and rules of the stack's namespaces. */
export function namespaceSettings(config: StackConfig): NamespacesArgs {
    const { service, redis, edge, monitoring, insights, cluster, placement } = config;
    const proxies = edge.proxies.provisions;
    const flows = allowedConnections(config);
    return {
        quotas: namespaceQuotas({
            service,
            redis:
                redis.mode === "external"
                    ? undefined
                    : { ...redisSize(redis), storage: redis.storage },
            monitoring: [
                ...monitoringFootprints(monitoring),
                ...(insights ? insightsFootprints(insights) : []),
            ],
            proxies,
        }),
        flows,
        proxies,
        protectData: cluster.protectData,
        registryCredentials: placement.registryCredentials,
        example: flows.example && {
            quota: exampleQuota(),
            policies: exampleNamespacePolicies(flows, flows.example),
            entityPolicies: exampleEntityPolicies(flows),
        },
    };
}

/** Network policies of the namespace of the stack's own cert-manager, by name; of both kinds. */
export function certManagerPoliciesOf(config: StackConfig) {
    const traffic = allowedConnections(config);
    const certManager = certManagerConnections(config);
    return {
        policies: certManagerNamespacePolicies(traffic, certManager),
        entityPolicies: certManagerEntityPolicies(traffic, certManager.challenge),
    };
}
