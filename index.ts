import { perColour } from "@property-search/contract";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { Admission } from "./components/admission.ts";
import { AdapterRules } from "./components/autoscaler/adapterRules.ts";
import { Certificates } from "./components/certificates.ts";
import { Colour } from "./components/colour.ts";
import { Edge } from "./components/edge.ts";
import { Monitoring, monitoringLoads } from "./components/monitoring.ts";
import { warnWithoutReceivers } from "./components/monitoring/receivers.ts";
import { Namespaces } from "./components/namespaces.ts";
import { certManagerNamespacePolicies } from "./components/networkPolicies.ts";
import { placeWorkloads } from "./components/placement.ts";
import { namespaceQuotas } from "./components/quotas.ts";
import { Redis, redisSize } from "./components/redis.ts";
import { loadConfig } from "./config.ts";
import { certManagerTrafficOf, trafficOf } from "./config/traffic.ts";

const { releases, weights: configured, service, redis, ...rest } = loadConfig();
const { autoscaling, tenants, adminToken, edge, certificates, monitoring, network } = rest;
const { admission, placement } = rest;
const { context, protectData } = rest.cluster;
// Never the ambient current context once the stack has one of its own.
const provider = new k8s.Provider("cluster", { ...(context !== undefined && { context }) });
const onCluster = { providers: { kubernetes: provider } };
// A rendering tells them itself.
if (pulumi.runtime.hasEngine()) for (const one of rest.warnings) void pulumi.log.warn(one);
const ownRedis = redis.mode === "external" ? undefined : redis;

const talking = { service, redis, edge, certificates, monitoring, network };
placeWorkloads(placement);
if (monitoring.enabled && !monitoring.existing) {
    warnWithoutReceivers(monitoring.alertmanager.receivers);
}

const namespaces = new Namespaces(
    "namespaces",
    {
        quotas: namespaceQuotas({
            service,
            redis: ownRedis && { ...redisSize(ownRedis), storage: ownRedis.storage },
            monitoring: monitoringLoads(monitoring),
            proxies: edge.proxies.provisions,
        }),
        traffic: trafficOf(talking),
        proxies: edge.proxies.provisions,
        protectData,
        registryCredentials: placement.registryCredentials,
    },
    onCluster,
);

new Admission("admission", { objects: admission }, onCluster);
// No pod before the rules of its namespace.
const afterRules = { ...onCluster, dependsOn: [namespaces] };

if (ownRedis) {
    const args = { namespace: namespaces.names.data, nodeImage: releases.blue.image };
    new Redis("redis", { ...args, ...ownRedis }, afterRules);
}

const colours = perColour((colour) => {
    const args = { colour, namespace: namespaces.names[colour], release: releases[colour] };
    const shared = { service, autoscaling, redis, tenants, adminToken };
    return new Colour(colour, { ...args, ...shared }, afterRules);
});

const backends = { namespace: namespaces.names.edge, weights: configured, backends: colours };
const https = certificates && { secret: certificates.secret };
// No traffic before both colours serve.
const afterColours = { ...onCluster, dependsOn: [colours.blue, colours.green] };
const entrance = new Edge("edge", { ...backends, ...edge, https }, afterColours);

// A Secret of somebody else's is neither issued nor watched.
const issued = certificates?.secret ? undefined : certificates;
if (issued) {
    const args = { namespace: namespaces.names.edge, gateway: entrance.gateway };
    const policies = certManagerNamespacePolicies(
        trafficOf(talking),
        certManagerTrafficOf(talking),
    );
    new Certificates("certificates", { ...args, ...issued, policies }, onCluster);
}

const missesPerPod = autoscaling.misses?.perPod;
const watched = {
    namespaces: namespaces.names,
    redis: ownRedis,
    certificates: issued,
    missesPerPod,
};
if (monitoring.enabled) new Monitoring("monitoring", { ...monitoring, ...watched }, afterRules);

if (autoscaling.misses?.metric === "prometheus-adapter")
    new AdapterRules("autoscaling", { namespace: namespaces.names.monitoring }, afterRules);

/** Base URL of the service; HOST stands for the Gateway's address where no host name is set. */
export const url = entrance.url;
export const weights = configured;
export const versions = perColour((colour) => releases[colour].version);
