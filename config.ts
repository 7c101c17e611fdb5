import { perColour, type PerColour, type Weights } from "@property-search/contract";
import * as pulumi from "@pulumi/pulumi";
import { readCluster, type ClusterConfig } from "./config/cluster.ts";
import { readAutoscaling, type AutoscalingConfig } from "./config/autoscaling.ts";
import { readCertificates, type CertificatesConfig } from "./config/certificates.ts";
import { readEdge, type EdgeConfig } from "./config/edge.ts";
import { readMonitoring, type MonitoringConfig } from "./config/monitoring.ts";
import { checkConnections } from "./config/connections.ts";
import { readNetwork, type NetworkConfig } from "./config/network.ts";
import { readAdmission } from "./config/policies.ts";
import { token } from "./config/allowed.ts";
import { ConfigReader, GENERATED } from "./config/reader.ts";
import { readRedis, type RedisConfig } from "./config/redis.ts";
import {
    readRelease,
    readService,
    readWeights,
    type Release,
    type ServiceConfig,
} from "./config/service.ts";
import { trapsOfStack } from "./config/yamlTraps.ts";
import { readTenantsConfig, type TenantsConfig } from "./config/tenants.ts";
import { readPlacement } from "./config/workloads.ts";
import type { Placement } from "./components/placement.ts";

/** What a stack asks for, checked. Meanings, units and defaults of the keys stand in Pulumi.yaml. */
export interface StackConfig {
    readonly releases: PerColour<Release>;
    readonly weights: Weights;
    /** Settings of every workload. */
    readonly placement: Placement;
    readonly service: ServiceConfig;
    readonly autoscaling: AutoscalingConfig;
    readonly redis: RedisConfig;
    readonly tenants: TenantsConfig;
    /** Bearer token of the service's admin port. */
    readonly adminToken: pulumi.Output<string>;
    readonly edge: EdgeConfig;
    /** Undefined: no HTTPS. */
    readonly certificates: CertificatesConfig | undefined;
    readonly monitoring: MonitoringConfig;
    readonly network: NetworkConfig;
    readonly cluster: ClusterConfig;
    /** The policies that the API server enforces, and their bindings. */
    readonly admission: ReturnType<typeof readAdmission>;
    /** Keys that are set to no effect, a sentence each. */
    readonly warnings: readonly string[];
}

/**
 * Reads and checks the stack's config; nothing else reads pulumi.Config.
 *
 * @throws pulumi.RunError with every finding at once, each naming the key, its value and what is
 * allowed, so that nothing is created from a config that is wrong somewhere.
 */
export function loadConfig(read = new ConfigReader()): StackConfig {
    const service = readService(read);
    const redis = readRedis(read);
    const monitoring = readMonitoring(read, redis.mode !== "external");
    const config = {
        releases: perColour((colour) => readRelease(read, colour)),
        weights: readWeights(read),
        placement: readPlacement(read),
        service,
        autoscaling: readAutoscaling(read, service, monitoring.existing),
        redis,
        tenants: readTenantsConfig(read),
        adminToken: read.requiredSecret("admin.token", token(32, "a token"), GENERATED),
        edge: readEdge(read),
        certificates: readCertificates(read),
        monitoring,
        network: readNetwork(read),
        cluster: readCluster(read),
        admission: readAdmission(read),
    };
    checkConnections(read, config);
    const { autoscaling, certificates, edge } = config;
    if (certificates && edge.httpPort === edge.httpsPort) {
        const words = `is ${edge.httpsPort}; allowed: another than edge.httpPort`;
        read.finding("edge.httpsPort", words);
    }
    if (autoscaling.misses && !monitoring.enabled) {
        const reason = "since monitoring.enabled is false";
        const found = `is "${autoscaling.misses.metric}"`;
        read.finding("autoscaling.metric", `${found}; allowed: none, ${reason}`);
    }
    for (const [key, words] of trapsOfStack(pulumi.getStack())) read.finding(key, words);
    read.finish();
    return { ...config, warnings: read.warnings };
}
