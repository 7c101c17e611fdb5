import { describe, expect, test } from "@jest/globals";
import { CERTIFICATES_NAMESPACE, NAMESPACES } from "@property-search/contract";
import { formatMessage } from "../../policies/engine/message.ts";
import { findAdvisories, findFailures, runRules } from "../../policies/engine/run.ts";
import { toObjects } from "../../policies/kubernetes/object.ts";
import { RULES } from "../../policies/rules/index.ts";
import { readStackPolicies } from "../../policies/stacks.ts";
import type { Manifest } from "../../render.ts";
import { at, walk } from "../support/program.ts";
import { render } from "../support/stacks.ts";

/* Settings for all workloads of a stack. */

const WORKLOADS = ["Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob"];
const rendered = async (overrides: Record<string, string>, config?: Record<string, string>) =>
    (await render({ stack: "prod", overrides, ...(config && { config }) })).manifests;
const workloadsOf = (manifests: readonly Manifest[]) =>
    manifests.filter(({ kind }) => WORKLOADS.includes(kind));
const templateOf = (manifest: Manifest) =>
    at(manifest, "spec", "jobTemplate", "spec", "template") ?? at(manifest, "spec", "template");
const PARTS = [
    "Deployment/embedding-service-blue",
    "StatefulSet/redis-cluster",
    "Job/redis-cluster-formation",
];

describe("placement", () => {
    const overrides = {
        "images.pullSecrets": '["mirror"]',
        "images.dockerConfigJson": '{"auths":{}}',
        "workloads.nodeSelector": '{"pool":"search"}',
        "workloads.tolerations": '[{"key":"dedicated","operator":"Exists","effect":"NoSchedule"}]',
        "workloads.priorityClassName": "platform",
        "workloads.labels": '{"team":"search"}',
    };

    test("every workload has all of it, and no selector has", async () => {
        const workloads = workloadsOf(await rendered(overrides));
        const names = workloads.map(({ kind, metadata }) => `${kind}/${metadata.name}`);
        expect(names).toEqual(expect.arrayContaining([...PARTS, "StatefulSet/prometheus"]));
        for (const workload of workloads) {
            expect(workload.metadata.labels).toMatchObject({ team: "search" });
            expect(templateOf(workload)).toMatchObject({
                metadata: {
                    labels: { team: "search", "app.kubernetes.io/part-of": "property-search" },
                },
                spec: {
                    imagePullSecrets: [{ name: "mirror" }, { name: "registry-credentials" }],
                    nodeSelector: { pool: "search" },
                    tolerations: [{ key: "dedicated", operator: "Exists", effect: "NoSchedule" }],
                    priorityClassName: "platform",
                },
            });
            expect(at(workload, "spec", "selector", "matchLabels", "team")).toBeUndefined();
        }
    });

    test("what cert-manager makes to solve a challenge has it too", async () => {
        const issuer = (await rendered(overrides)).find(({ kind }) => kind === "Issuer");
        const solver = at(issuer, "spec", "acme", "solvers", 0, "http01", "gatewayHTTPRoute");
        expect(at(solver, "podTemplate")).toMatchObject({
            metadata: { labels: { team: "search" } },
            spec: { priorityClassName: "platform", nodeSelector: { pool: "search" } },
        });
    });

    test("each namespace has the registry's credentials, and no other object shows them", async () => {
        const manifests = await rendered(overrides);
        const secrets = manifests.filter(
            ({ metadata }) => metadata.name === "registry-credentials",
        );
        expect(secrets.map(({ metadata }) => metadata.namespace).sort()).toEqual(
            [...Object.values(NAMESPACES), CERTIFICATES_NAMESPACE].sort(),
        );
        expect(secrets[0]).toMatchObject({
            kind: "Secret",
            type: "kubernetes.io/dockerconfigjson",
        });
        for (const [, value] of walk(manifests)) expect(value).not.toBe('{"auths":{}}');
    });

    test("nothing is rendered if nothing is set", async () => {
        for (const workload of workloadsOf(await rendered({}))) {
            const spec = at(templateOf(workload), "spec") as object;
            const fields = ["imagePullSecrets", "nodeSelector", "tolerations", "priorityClassName"];
            expect(Object.keys(spec).filter((field) => fields.includes(field))).toEqual([]);
        }
    });

    test("pods name no ids where the cluster gives them, and still no policy has anything against them", async () => {
        const contexts = async (change: Record<string, string>) =>
            workloadsOf(await rendered(change)).map((one) =>
                at(templateOf(one), "spec", "securityContext"),
            );
        const fixed = { runAsUser: 10001, runAsGroup: 10001, fsGroup: 10001 };
        for (const context of await contexts({})) expect(context).toMatchObject(fixed);
        const change = { "workloads.fixedIds": "false" };
        for (const context of await contexts(change)) {
            expect(context).toEqual({
                runAsNonRoot: true,
                fsGroupChangePolicy: "OnRootMismatch",
                seccompProfile: { type: "RuntimeDefault" },
            });
        }
        const manifests = await rendered(change);
        const result = runRules(RULES, readStackPolicies("prod"), manifests.flatMap(toObjects));
        expect([...findFailures(result), ...findAdvisories(result)].map(formatMessage)).toEqual([]);
    });

    test.each([
        ["workloads.nodeSelector", "[]", /is \[\]; allowed: an object of label keys/],
        ["workloads.nodeSelector", '{"pool":4711}', /has pool: 4711; allowed/],
        ["workloads.labels", '{"a b":"c"}', /has a b: "c"; allowed/],
        [
            "workloads.labels",
            '{"app.kubernetes.io/name":"x"}',
            /has app\.kubernetes\.io\/name; allowed: none of/,
        ],
        ["workloads.tolerations", '{"key":"a"}', /allowed: a list of tolerations/],
        [
            "workloads.tolerations",
            '[{"key":"a","effect":"Never"}]',
            /\[0\] has effect "Never"; allowed: NoSchedule/,
        ],
        [
            "workloads.tolerations",
            '[{"keys":"a","operator":"Exists"}]',
            /\[0\] has keys; allowed: key, operator/,
        ],
        [
            "workloads.tolerations",
            '[{"value":"a"}]',
            /\[0\] has no key; allowed: with the operator Exists/,
        ],
        [
            "workloads.tolerations",
            '[{"key":"a","tolerationSeconds":5}]',
            /has tolerationSeconds; allowed/,
        ],
        ["workloads.priorityClassName", "High", /allowed: the name of an object/],
        ["images.registry", "mirror", /is "mirror"; allowed: a registry with a path/],
        ["images.registry", "https://mirror.example.com", /allowed: a registry with a path/],
        ["images.pullSecrets", '["Mirror"]', /allowed: a list of the name of an object/],
    ])("%s: %s is rejected", async (key, value, words) => {
        await expect(rendered({ [key]: value })).rejects.toThrow(words);
    });
});

test("a release of the service changes nothing of Redis and its Jobs", async () => {
    const ofRedis = (manifests: readonly Manifest[]) =>
        manifests.filter(({ metadata }) => metadata.namespace === "property-search-data");
    const released = await rendered({
        "blue.image": "ghcr.io/acme/embedding-service:v1.2.3",
        "green.image": "ghcr.io/acme/embedding-service:v1.2.4",
    });
    const before = ofRedis(await rendered({}));
    expect(before.map(({ kind }) => kind)).toContain("CronJob");
    expect(ofRedis(released)).toEqual(before);
});

describe("images.registry", () => {
    const REGISTRY = "registry.example.com:5000/mirror";
    const imagesOf = (manifests: readonly Manifest[]) =>
        [...walk(manifests)].flatMap(([path, value]) =>
            path.endsWith(".image") && typeof value === "string" ? [value] : [],
        );

    test("images of public registries come from it by their own paths, others stay", async () => {
        const manifests = await rendered({
            "images.registry": REGISTRY,
            "blue.image": "ghcr.io/acme/embedding-service:v1.2.3",
            "grafana.image": "other.example.com/grafana:12.4.0",
        });
        expect(new Set(imagesOf(manifests))).toEqual(
            new Set([
                "ghcr.io/acme/embedding-service:v1.2.3",
                "property-search/embedding-service:v2.0.0-enhanced",
                "property-search/insights:v1.0.0",
                "other.example.com/grafana:12.4.0",
                `${REGISTRY}/library/redis:8.2.3-bookworm`,
                `${REGISTRY}/library/node:24.11.1-bookworm-slim`,
                `${REGISTRY}/prom/prometheus:v3.5.1`,
                `${REGISTRY}/prom/alertmanager:v0.28.1`,
                `${REGISTRY}/oliver006/redis_exporter:v1.77.0`,
                `${REGISTRY}/kube-state-metrics/kube-state-metrics:v2.18.0`,
            ]),
        );
    });

    test("the API server's policy allows it, and no public one", async () => {
        const policy = (await rendered({ "images.registry": REGISTRY })).find(
            ({ kind, metadata }) =>
                kind === "ValidatingAdmissionPolicy" && metadata.name.endsWith("image-registry"),
        );
        const text = JSON.stringify(policy);
        expect(text).toContain(`${REGISTRY}/*`);
        expect(text).not.toContain("grafana");
    });
});
