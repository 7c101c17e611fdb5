import { EXAMPLE_NAME, INSIGHTS_NAMES, perColour } from "@property-search/contract";
import { createAdmissionObjects } from "@property-search/policies/admission";
import * as pulumi from "@pulumi/pulumi";
import { Admission } from "./components/admission.ts";
import { PrometheusAdapterRules } from "./components/autoscaler/adapterRules.ts";
import { Certificates } from "./components/certificates.ts";
import { clusterProvider } from "./components/clusterProvider.ts";
import { EdgeGateway } from "./components/edge.ts";
import { EmbeddingService } from "./components/embeddingService.ts";
import { exampleApiKey } from "./components/embeddingService/tenants.ts";
import { PropertySearchExample } from "./components/example.ts";
import { Insights } from "./components/insights.ts";
import { Monitoring } from "./components/monitoring.ts";
import { Namespaces } from "./components/namespaces.ts";
import { applyPlacement } from "./components/placement.ts";
import { Redis } from "./components/redis.ts";
import { loadConfig } from "./config.ts";
import { requireBoundCluster } from "./config/boundCluster.ts";
import { certManagerPoliciesOf, namespaceSettings } from "./config/namespaces.ts";

/** Declares a stack; Pulumi calls it. @returns the stack's outputs; in its URL, HOST stands for the Gateway's address. */
export default async function declareStack() {
    const config = loadConfig();
    const { releases, service, redis, autoscaling, tenants, adminToken } = config;
    const { weights, certificates, monitoring, insights, example } = config;
    for (const one of config.warnings) void pulumi.log.warn(one);
    applyPlacement(config.placement);

    if (pulumi.runtime.hasEngine()) await requireBoundCluster(config.cluster);
    const onCluster = { providers: { kubernetes: clusterProvider(config.cluster.provider) } };
    const namespaces = new Namespaces("namespaces", namespaceSettings(config), onCluster);
    const { names } = namespaces;
    const { enforced, registry } = config.admission;
    const objects = enforced ? createAdmissionObjects(pulumi.getStack(), registry) : [];
    const admission = new Admission("admission", { objects }, onCluster);
    // Pods need the quotas and network policies of their namespace. An update that allows an image registry must do so
    // before it changes the images.
    const afterRules = { ...onCluster, dependsOn: [namespaces, admission] };

    const ownRedis = redis.mode === "external" ? undefined : redis;
    if (ownRedis) new Redis("redis", { namespace: names.data, ...ownRedis }, afterRules);

    const settings = { releases, service, autoscaling, redis, tenants, adminToken };
    // Without monitoring too: adding it later does not replace the pods.
    const { automationToken } = insights ?? {};
    const { backends } = new EmbeddingService(
        "service",
        { namespaces: names, ...settings, automationToken },
        afterRules,
    );
    // No traffic before both colours serve.
    const afterColours = { ...onCluster, dependsOn: [backends.blue, backends.green] };
    // Not the Service itself: an unavailable page must not delay the gateway of the service.
    const page = { namespace: names.monitoring, serviceName: INSIGHTS_NAMES.page };
    const impact = insights?.expose && monitoring.enabled ? page : undefined;
    const search = namespaces.example && {
        namespace: namespaces.example,
        serviceName: EXAMPLE_NAME,
    };
    const routes = { namespace: names.edge, weights, backends, https: certificates, impact };
    const args = { ...routes, example: search, ...config.edge };
    const edge = new EdgeGateway("edge", args, afterColours);
    const { gateway, url } = edge;

    // An existing Secret is neither issued nor monitored.
    const issued = certificates?.secret ? undefined : certificates;
    const policies = certManagerPoliciesOf(config);
    const served = { namespace: names.edge, gateway, placement: config.placement };
    if (issued) new Certificates("certificates", { ...served, ...policies, ...issued }, onCluster);

    const missesPerPod = autoscaling.misses?.perPod;
    const monitored = {
        ...{ namespaces: names, redis: ownRedis, missesPerPod },
        example: namespaces.example,
    };
    if (monitoring.enabled) {
        const args = { ...monitoring, ...monitored, certificates: issued !== undefined };
        new Monitoring("monitoring", args, afterRules);
        const insightsArgs = insights && { namespace: names.monitoring, ...insights };
        if (insightsArgs) new Insights("insights", insightsArgs, afterRules);
    }
    if (autoscaling.misses?.metric === "prometheus-adapter")
        new PrometheusAdapterRules("autoscaling", { namespace: names.monitoring }, afterRules);
    // Its pod becomes ready by vectors that it gets through the Gateway.
    const withKey = example && {
        ...example,
        apiKey: pulumi.output(tenants.platformKey).apply(exampleApiKey),
        model: service.settings.model,
    };
    if (withKey)
        new PropertySearchExample("example", withKey, {
            ...onCluster,
            dependsOn: [namespaces, admission, edge],
        });
    return { url, weights, versions: perColour((colour) => releases[colour].version) };
}
