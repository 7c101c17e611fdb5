import { beforeAll, describe, expect, test } from "@jest/globals";
import * as pulumi from "@pulumi/pulumi";
import { readFileSync } from "node:fs";
import path from "node:path";
import { parse } from "yaml";
import { MASK } from "../../config/reader.ts";
import { formatMessage } from "../../policies/engine/message.ts";
import { findFailures, runRules } from "../../policies/engine/run.ts";
import { toObjects } from "../../policies/kubernetes/object.ts";
import { RULES } from "../../policies/rules/index.ts";
import { readStackPolicies } from "../../policies/stacks.ts";
import { toManifests, type Manifest } from "../../render/manifests.ts";
import { captureResources, type Registration } from "../../render/program.ts";
import { quietly, render } from "../support/stacks.ts";

const FOLDER = path.join(import.meta.dirname, "../../examples/pulumi");
const PROJECT = parse(readFileSync(path.join(FOLDER, "Pulumi.yaml"), "utf8")) as {
    name: string;
    config: Record<string, { secret?: boolean }>;
};
const IMAGES: Readonly<Record<string, string>> = {
    blueImage: "property-search/embedding-service:v1.0.0",
    greenImage: "property-search/embedding-service:v1.1.0",
};

/** Values of the keys that the example's Pulumi.yaml declares, and of no others. */
function configure() {
    const keys = Object.keys(PROJECT.config);
    const full = (key: string) => `${PROJECT.name}:${key}`;
    const values = keys.map((key) => [full(key), IMAGES[key] ?? MASK] as const);
    const secrets = keys.filter((key) => PROJECT.config[key]?.secret).map(full);
    pulumi.runtime.setAllConfig(Object.fromEntries(values), secrets);
}

const nameOf = ({ kind, metadata: { namespace = "", name } }: Manifest) =>
    [kind, namespace, name].join("/");

describe("examples/pulumi", () => {
    let registrations: readonly Registration[];
    let manifests: readonly Manifest[];
    beforeAll(async () => {
        configure();
        const program = () => import("../../examples/pulumi/index.ts");
        registrations = await quietly(() => captureResources(program, PROJECT.name, "trial"));
        manifests = toManifests(registrations, false);
    });

    test("declares the public components, and every object below one", () => {
        const top = registrations.filter(({ parent }) => parent === undefined);
        expect(top.map(({ type }) => type).sort()).toEqual(
            ["EdgeGateway", "EmbeddingService", "Monitoring", "Namespaces", "Redis"].map(
                (name) => `property-search:index:${name}`,
            ),
        );
        const workloads = manifests.filter(({ kind }) => /^(Deployment|StatefulSet)$/.test(kind));
        expect(workloads.map(({ metadata }) => metadata.name).sort()).toEqual([
            "alertmanager",
            "embedding-service-blue",
            "embedding-service-green",
            "grafana",
            "kube-state-metrics",
            "prometheus",
            "redis-cluster",
            "redis-exporter",
        ]);
    });

    test("passes the mandatory policies", () => {
        const result = runRules(RULES, readStackPolicies("dev"), manifests.flatMap(toObjects));
        expect(findFailures(result).map(formatMessage)).toEqual([]);
    });

    test("has the objects of the main program with its default config", async () => {
        const overrides = {
            "blue.image": IMAGES.blueImage ?? "",
            "green.image": IMAGES.greenImage ?? "",
            "green.version": "v1.1.0",
            // Stack dev has smaller pods; their defaults are those of Pulumi.yaml.
            "service.cpuRequest": "1",
            "service.memoryRequest": "2Gi",
            "service.memoryLimit": "4Gi",
            "tenants.anonymous": "false",
            "autoscaling.metric": "none",
            "edge.retryFilter": "none",
            "insights.enabled": "false",
            "example.enabled": "false",
        };
        const main = await render({ stack: "dev", overrides });
        const byName = new Map(main.manifests.map((manifest) => [nameOf(manifest), manifest]));
        for (const manifest of manifests) {
            // Without KEDA, nothing outside of the monitoring namespace queries Prometheus.
            if (nameOf(manifest).endsWith("/allow-queries")) continue;
            expect(manifest).toEqual(byName.get(nameOf(manifest)));
        }
        const missing = [...byName.keys()].filter(
            (name) => !manifests.some((manifest) => nameOf(manifest) === name),
        );
        expect(missing.filter((name) => !name.startsWith("ValidatingAdmissionPolicy"))).toEqual([]);
    });
});
