import * as pulumi from "@pulumi/pulumi";
import {
    EdgeGateway,
    EmbeddingService,
    Monitoring,
    Namespaces,
    Redis,
} from "../../components/index.ts";

const config = new pulumi.Config();
const passwords = {
    app: config.requireSecret("redisAppPassword"),
    exporter: config.requireSecret("redisExporterPassword"),
    admin: config.requireSecret("redisAdminPassword"),
};

const namespaces = new Namespaces("namespaces");
// Pods need the quotas and network policies of their namespace.
const afterNamespaces = { dependsOn: [namespaces] };

new Redis("redis", { passwords }, afterNamespaces);

const service = new EmbeddingService(
    "embedding-service",
    {
        releases: {
            blue: { image: config.require("blueImage"), version: "v1.0.0" },
            green: { image: config.require("greenImage"), version: "v1.1.0" },
        },
        redis: { passwords },
        tenants: { platformKey: config.requireSecret("platformKey") },
        adminToken: config.requireSecret("adminToken"),
    },
    afterNamespaces,
);

const edge = new EdgeGateway("edge", { backends: service.backends }, { dependsOn: [service] });

const grafana = {
    adminPassword: config.requireSecret("grafanaPassword"),
    secretKey: config.requireSecret("grafanaSecretKey"),
};
new Monitoring("monitoring", { redis: { passwords }, grafana }, afterNamespaces);

/** Base URL of the service; HOST stands for the address of the Gateway. */
export const { url } = edge;
