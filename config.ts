import { perColour } from "@property-search/contract";
import { SERVICE_SETTINGS } from "@property-search/contract/settings";
import * as pulumi from "@pulumi/pulumi";
import { readCluster } from "./config/cluster.ts";
import { readAutoscaling } from "./config/autoscaling.ts";
import { readCertificates } from "./config/certificates.ts";
import { readEdge, type EdgeConfig } from "./config/edge.ts";
import { readExample } from "./config/example.ts";
import { readInsights } from "./config/insights.ts";
import { readMonitoring } from "./config/monitoring.ts";
import { checkConnections } from "./config/connections.ts";
import { checkDistinctSecrets } from "./config/distinctSecrets.ts";
import { readNetwork } from "./config/network.ts";
import { ConfigReader } from "./config/reader.ts";
import { GENERATED } from "./config/settings/row.ts";
import { readRedis } from "./config/redis.ts";
import { readRelease, readService } from "./config/service.ts";
import { trapsOfStack } from "./config/yamlTraps.ts";

/** What a stack asks for, checked. config/settings declares the keys. */
export type StackConfig = ReturnType<typeof loadConfig>;

/**
 * Reads and checks the stack's config; nothing else reads pulumi.Config.
 *
 * @throws pulumi.RunError with every error at once, each naming the key, its value and what is
 * allowed, so that nothing is created from a config that is wrong somewhere.
 */
export function loadConfig(read = new ConfigReader()) {
    const { adminToken } = SERVICE_SETTINGS;
    const service = readService(read);
    const redis = readRedis(read);
    const edge = readEdge(read);
    const certificates = readCertificates(read);
    const example = readExample(read, edge, certificates !== undefined);
    const monitoring = readMonitoring(read, {
        redis: redis.mode !== "external",
        example: example !== undefined,
    });
    const { registry, pullSecrets, dockerConfigJson } = read.group("images");
    const config = {
        releases: perColour((colour) => readRelease(read, colour)),
        weights: read.get("traffic.weights"),
        placement: {
            ...read.group("workloads"),
            pullSecrets,
            registryCredentials: dockerConfigJson,
        },
        service,
        autoscaling: readAutoscaling(read, service, monitoring.existing),
        redis,
        tenants: {
            ...read.group("tenants"),
            otherPlatformKeys: read.overlap("tenants.platformKey"),
            example: example !== undefined,
        },
        adminToken: read.requiredSecret(adminToken.key, adminToken, GENERATED.required),
        edge,
        certificates,
        monitoring,
        insights: readInsights(read, monitoring),
        example,
        network: readNetwork(read),
        cluster: readCluster(read),
        admission: { enforced: read.get("policies.admission"), registry },
    };
    checkConnections(read, config);
    checkDistinctSecrets(read);
    const { autoscaling } = config;
    if (certificates) checkPorts(read, edge);
    if (autoscaling.misses && !monitoring.enabled) {
        const reason = "since monitoring.enabled is false";
        const found = `is "${autoscaling.misses.metric}"`;
        read.addError("autoscaling.metric", `${found}; allowed: none, ${reason}`);
    }
    for (const [key, words] of trapsOfStack(pulumi.getStack())) read.addError(key, words, "file");
    read.finish();
    return { ...config, warnings: read.warnings };
}

/** HTTP and HTTPS have listeners of their own, and ports of their own for clients. */
function checkPorts(read: ConfigReader, edge: EdgeConfig): void {
    if (edge.httpPort === edge.httpsPort) {
        const words = `is ${edge.httpsPort}; allowed: another than edge.httpPort`;
        read.addError("edge.httpsPort", words);
    } else if (edge.publicHttpPort === edge.publicHttpsPort) {
        const words =
            `is ${edge.publicHttpsPort}; allowed: another than edge.publicHttpPort ` +
            "(where they are not set, they follow edge.httpPort and edge.httpsPort)";
        read.addError("edge.publicHttpsPort", words);
    }
}
