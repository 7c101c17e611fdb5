/** The components for Pulumi programs: examples/pulumi deploys them. */
export { EdgeGateway, type EdgeGatewayArgs } from "./edge.ts";
export { EmbeddingService, type EmbeddingServiceArgs } from "./embeddingService.ts";
export { PropertySearchExample, type ExampleArgs } from "./example.ts";
export { Insights, insightsFootprints, type InsightsArgs } from "./insights.ts";
export { Monitoring, type MonitoringArgs } from "./monitoring.ts";
export { Namespaces, type NamespacesArgs } from "./namespaces.ts";
export { DEFAULT_FLOWS } from "./networkPolicies.ts";
export { namespaceQuotas } from "./quotas.ts";
export { Redis, type RedisArgs } from "./redis.ts";
