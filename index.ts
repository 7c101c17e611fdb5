import { COLOURS, perColour } from "@property-search/contract";
import { budgets } from "./components/budgets.ts";
import { Certificates } from "./components/certificates.ts";
import { Colour } from "./components/colour.ts";
import { Edge } from "./components/edge.ts";
import { Namespaces } from "./components/namespaces.ts";
import { Redis } from "./components/redis.ts";
import { loadConfig } from "./config.ts";

const config = loadConfig();
const { service, redis, edge, certificates } = config;

const namespaces = new Namespaces("platform", {
    budgets: budgets(config),
    controllerNamespace: edge.controllerNamespace,
    controllerCidrs: edge.controllerCidrs,
    upstream: service.provider === "openai",
    externalRedis: redis.mode === "external",
});
const inNamespaces = { dependsOn: [namespaces] };

const cache = redis.mode === "external" ? undefined : new Redis("redis", { redis }, inNamespaces);

const colours = perColour(
    (colour) =>
        new Colour(
            colour,
            {
                colour,
                ...config.colours[colour],
                service,
                redis,
                cpuPercent: config.autoscaling.cpuPercent,
            },
            inNamespaces,
        ),
);

const tls =
    certificates && edge.hostname !== undefined
        ? new Certificates("certificates", { certificates, hostname: edge.hostname }, inNamespaces)
        : undefined;

// Last: a weight on a colour without ready pods is that share of all requests failed.
new Edge(
    "edge",
    { edge, weights: config.weights, ...(tls && { certificateSecret: tls.secretName }) },
    { dependsOn: [namespaces, ...COLOURS.map((colour) => colours[colour])] },
);

export const services = perColour((colour) => colours[colour].serviceName);
export const versions = perColour((colour) => config.colours[colour].version);
export const weights = config.weights;
export const redisAddress = cache?.address;
