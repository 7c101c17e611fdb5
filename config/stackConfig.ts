import type { PerColour, Weights } from "@property-search/contract";
import type * as pulumi from "@pulumi/pulumi";
import type { Placement } from "../components/placement.ts";
import type { AutoscalingConfig } from "./autoscaling.ts";
import type { CertificatesConfig } from "./certificates.ts";
import type { ClusterConfig } from "./cluster.ts";
import type { EdgeConfig } from "./edge.ts";
import type { MonitoringConfig } from "./monitoring.ts";
import type { NetworkConfig } from "./network.ts";
import type { readAdmission } from "./policies.ts";
import type { RedisConfig } from "./redis.ts";
import type { Release, ServiceConfig } from "./service.ts";
import type { TenantsConfig } from "./tenants.ts";

/** What a stack asks for, checked. config/settings declares the keys. */
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
    /** What is allowed and should be known, in sentences. */
    readonly warnings: readonly string[];
}
