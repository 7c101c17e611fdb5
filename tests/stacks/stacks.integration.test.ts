import { beforeAll, describe, expect, test } from "@jest/globals";
import { COLOURS, LABELS, parseBytes, SERVICE_NAMES } from "@property-search/contract";
import type { Manifest, Rendering } from "../../render.ts";
import { at, containersOf, needsOf, podSpecOf, walk } from "../support/program.ts";
import { render } from "../support/stacks.ts";

const renderings = new Map<string, Promise<Rendering>>();

/** The stack's rendering, made once. */
function rendered(stack: string): Promise<Rendering> {
    const made = renderings.get(stack) ?? render({ stack });
    renderings.set(stack, made);
    return made;
}

const COMPONENTS = [
    ...["Namespaces", "Redis", "EmbeddingService", "EdgeGateway", "Monitoring", "Insights"],
];

/** Those that ask the API server, and so need a token. */
const READERS = [
    "prometheus",
    "kube-state-metrics",
    "redis-cluster-formation",
    "redis-cluster-formation-repair",
];
/** ClusterRoles: the kinds' list, and the zones of nodes where a Redis Cluster is spread over them. */
const CLUSTER_WIDE: Readonly<Record<string, object>> = {
    "property-search-kube-state-metrics": {
        apiGroups: ["apiextensions.k8s.io"],
        resources: ["customresourcedefinitions"],
        verbs: ["get", "list", "watch"],
    },
    "property-search-redis-cluster-formation": {
        apiGroups: [""],
        resources: ["nodes"],
        verbs: ["get"],
    },
};

describe.each(["dev", "prod", "local"])("stack %s", (stack) => {
    let rendering: Rendering;
    let manifests: readonly Manifest[];
    beforeAll(async () => {
        rendering = await rendered(stack);
        ({ manifests } = rendering);
    });
    const of = (kind: string) => manifests.filter((one) => one.kind === kind);
    const workloads = () => manifests.filter((one) => podSpecOf(one) !== undefined);

    test("declares each resource once", () => {
        const urns = rendering.registrations.map(({ urn }) => urn);
        expect(new Set(urns).size).toBe(urns.length);
        const names = manifests.map(({ kind, metadata: { namespace, name } }) =>
            [kind, namespace, name].join("/"),
        );
        expect(new Set(names).size).toBe(names.length);
    });

    test("creates and updates workloads after the rules that admit them", () => {
        const workloads = rendering.registrations.filter(({ type }) =>
            /:index:(Redis|EmbeddingService|Monitoring|Insights|PropertySearchExample)$/.test(type),
        );
        expect(workloads).not.toHaveLength(0);
        for (const one of workloads)
            expect(needsOf(one)).toEqual(expect.arrayContaining(["Namespaces", "Admission"]));
    });

    test("has nothing but components at the top, and every resource under one", () => {
        const top = rendering.registrations.filter(({ parent }) => parent === undefined);
        expect(
            top
                .map(({ type }) => type)
                .filter((type) => !/^property-search:index:[A-Z]\w+$/.test(type)),
        ).toEqual(["pulumi:providers:kubernetes"]);
        // The stack's own provider is everybody's: none goes by the ambient context.
        const components = top.filter(({ type }) => type.startsWith("property-search:"));
        const without = components.filter(({ options }) => !("providers" in options));
        expect(without.map(({ name }) => name)).toEqual([]);
        expect(top.map(({ type }) => type.split(":").pop())).toEqual(
            expect.arrayContaining(COMPONENTS),
        );
        const urns = new Set(rendering.registrations.map(({ urn }) => urn));
        for (const { parent, urn } of rendering.registrations) {
            if (parent !== undefined) expect([urn, urns.has(parent)]).toEqual([urn, true]);
        }
    });

    // The policies say the rest: tests/policies/stacks.integration.test.ts.
    test("bounds its containers further than the policies demand", () => {
        for (const workload of workloads()) {
            expect(podSpecOf(workload)).toMatchObject({
                automountServiceAccountToken: READERS.includes(workload.metadata.name),
                enableServiceLinks: false,
            });
            for (const container of containersOf(workload)) {
                const { ports, securityContext, startupProbe } = container;
                expect(securityContext).toMatchObject({ capabilities: { drop: ["ALL"] } });
                expect(at(securityContext, "capabilities")).not.toHaveProperty("add");
                expect(at(container, "resources", "requests")).toHaveProperty("ephemeral-storage");
                if (ports !== undefined) expect(startupProbe).toBeDefined();
            }
        }
    });

    test("selects the pods that it makes, and by nothing that a release changes", () => {
        for (const workload of workloads().filter(({ kind }) => kind !== "Job")) {
            const matchLabels = at(workload, "spec", "selector", "matchLabels") as object;
            expect(at(workload, "spec", "template", "metadata", "labels")).toMatchObject(
                matchLabels,
            );
            expect(Object.keys(matchLabels)).not.toContain("app.kubernetes.io/version");
        }
        for (const selecting of [...of("Service"), ...of("PodDisruptionBudget")]) {
            const spec = selecting.spec as Record<string, unknown>;
            if (at(spec, "type") === "ExternalName") continue;
            const selector = at(spec, "selector", "matchLabels") ?? spec.selector;
            const selected = workloads().filter(
                ({ kind, metadata, spec: owner }) =>
                    kind !== "Job" &&
                    metadata.namespace === selecting.metadata.namespace &&
                    JSON.stringify(at(owner, "selector", "matchLabels")) ===
                        JSON.stringify(selector),
            );
            expect([selecting.metadata.name, selected.length]).toEqual([
                selecting.metadata.name,
                1,
            ]);
        }
    });

    test("allows no access to Secrets, and outside its namespaces only reads kinds and zones", () => {
        const verbs = [...of("Role"), ...of("ClusterRole")].flatMap(
            ({ rules }) => rules as { verbs: string[]; resources: string[]; apiGroups: string[] }[],
        );
        for (const rule of verbs) {
            expect(["get", "list", "watch"]).toEqual(expect.arrayContaining(rule.verbs));
            expect(rule.resources).not.toContain("secrets");
            expect([...rule.resources, ...rule.apiGroups]).not.toContain("*");
        }
        for (const { metadata, rules } of of("ClusterRole")) {
            expect(rules).toEqual([CLUSTER_WIDE[metadata.name]]);
        }
    });

    test("leaves replicas to the autoscaler wherever there is one", () => {
        for (const colour of COLOURS) {
            const mine = ({ metadata }: Manifest) => metadata.name === SERVICE_NAMES[colour];
            expect(of("Deployment").find(mine)?.spec).not.toHaveProperty("replicas");
            const scaling = manifests.filter(
                ({ spec }) => at(spec, "scaleTargetRef", "name") === SERVICE_NAMES[colour],
            );
            expect(scaling.map(({ kind }) => kind)).toEqual(["ScaledObject"]);
        }
    });

    test("gives each namespace room for its pods at the autoscaler's limit", () => {
        for (const quota of of("ResourceQuota")) {
            const { namespace } = quota.metadata;
            const autoscaler = of("ScaledObject").find(
                (one) => one.metadata.namespace === namespace,
            );
            const here = workloads().filter(({ metadata }) => metadata.namespace === namespace);
            const pods = here.reduce((total, one) => {
                const replicas =
                    at(one, "spec", "replicas") ?? at(autoscaler, "spec", "maxReplicaCount");
                return total + (one.kind === "Job" ? 1 : Number(replicas));
            }, 0);
            expect(Number(at(quota, "spec", "hard", "pods"))).toBeGreaterThanOrEqual(pods);
        }
    });

    test("keeps secrets in Secrets, and masks them there", () => {
        for (const secret of of("Secret")) {
            expect(Object.values(secret.stringData as object)).toEqual(
                Object.keys(secret.stringData as object).map(() => "[secret]"),
            );
        }
        for (const manifest of manifests.filter(({ kind }) => kind !== "Secret")) {
            for (const [path, value] of walk(manifest))
                expect([path, value]).not.toContain("[secret]");
        }
    });

    test("names Secrets, ConfigMaps and accounts that it makes", () => {
        const made = (kind: string, namespace: unknown) =>
            of(kind)
                .filter(({ metadata }) => metadata.namespace === namespace)
                .map(({ metadata }) => metadata.name);
        for (const workload of workloads()) {
            const { namespace } = workload.metadata;
            for (const [path, value] of walk(podSpecOf(workload))) {
                if (path.endsWith(".secretKeyRef.name") || path.endsWith(".secret.secretName")) {
                    expect(made("Secret", namespace)).toContain(value);
                }
                if (path.endsWith(".configMap.name")) {
                    expect(made("ConfigMap", namespace)).toContain(value);
                }
                if (path === ".serviceAccountName") {
                    expect(made("ServiceAccount", namespace)).toContain(value);
                }
            }
        }
    });

    test("routes to Services that exist, under grants that allow it", () => {
        const route = of("HTTPRoute").find(({ metadata }) => metadata.name === "embedding-service");
        const refs = (
            at(route, "spec", "rules") as { backendRefs: Record<string, unknown>[] }[]
        ).flatMap(({ backendRefs }) => backendRefs);
        for (const ref of refs) {
            const here = ({ metadata }: Manifest) => metadata.namespace === ref.namespace;
            const service = of("Service").find(
                (one) => here(one) && one.metadata.name === ref.name,
            );
            expect(at(service, "spec", "ports", 0, "port")).toBe(ref.port);
            expect(at(of("ReferenceGrant").find(here), "spec", "to")).toEqual([
                { group: "", kind: "Service", name: ref.name },
            ]);
        }
    });

    test("comes in an order in which it can be applied, without hints for Pulumi", () => {
        const kinds = manifests.map(({ kind }) => kind);
        const order = [
            "Namespace",
            "ResourceQuota",
            "Secret",
            "ConfigMap",
            "Service",
            "StatefulSet",
            "Deployment",
            "HTTPRoute",
        ];
        const places = order.map((kind) => kinds.indexOf(kind));
        expect(places).toEqual([...places].sort((a, b) => a - b));
        expect(places).not.toContain(-1);
        expect(JSON.stringify(manifests)).not.toContain("pulumi.com/");
    });
});

describe("what stacks are for", () => {
    test("prod has three pods of each colour, Redis Cluster and certificates", async () => {
        const { manifests, notRendered } = await rendered("prod");
        const autoscalers = manifests.filter(({ kind }) => kind === "ScaledObject");
        expect(autoscalers.map(({ spec }) => at(spec, "minReplicaCount"))).toEqual([3, 3]);
        for (const colour of COLOURS) {
            const deployment = manifests.find(
                ({ kind, metadata }) =>
                    kind === "Deployment" && metadata.name === SERVICE_NAMES[colour],
            );
            if (!deployment) throw new Error(`${colour} has no Deployment`);
            expect(at(containersOf(deployment)[0], "resources")).toMatchObject({
                requests: { cpu: "1", memory: "2Gi" },
                limits: { cpu: "2", memory: "4Gi" },
            });
        }
        expect(manifests.map(({ kind }) => kind)).toEqual(
            expect.arrayContaining(["Job", "Certificate"]),
        );
        const alertmanager = manifests.find(
            ({ kind, metadata }) => kind === "StatefulSet" && metadata.name === "alertmanager",
        );
        expect(at(alertmanager, "spec", "replicas")).toBe(3);
        expect(notRendered).toEqual(["kubernetes-cert-manager:index:CertManager"]);
    });

    test("local needs no more than one machine with two cores", async () => {
        const { manifests, notRendered } = await rendered("local");
        const kinds = manifests.map(({ kind }) => kind);
        expect(kinds).not.toContain("Certificate");
        expect(kinds).not.toContain("Job");
        expect(notRendered).toEqual([]);
        // What monitoring may take of it is a gibibyte.
        const mebibytes = manifests
            .filter(({ metadata: { labels } }) => labels?.[LABELS.component] === "monitoring")
            .flatMap((one) => (podSpecOf(one) ? containersOf(one) : []))
            .map(({ resources }) => parseBytes(String(at(resources, "limits", "memory"))) ?? NaN)
            .reduce((total, bytes) => total + bytes / 1024 ** 2, 0);
        expect(mebibytes).toBeGreaterThan(0);
        expect(mebibytes).toBeLessThanOrEqual(1024);
    });
});

describe("a rendering with secrets", () => {
    const secrets = {
        "redis.passwords.app": "app-secret",
        "redis.passwords.exporter": "exporter-secret",
        "redis.passwords.admin": "admin-secret",
        "tenants.platformKey": "platform-secret-key",
        "admin.token": "admin-token-of-more-than-32-characters",
        "admin.automationToken": "automation-token-of-more-than-32-characters",
        "insights.accessToken": "access-token-of-the-page",
        "grafana.adminPassword": "grafana-password",
        "grafana.secretKey": "grafana-key",
        "alerts.slackUrl": "https://hooks.slack.example/T1/B2/token",
        "alerts.slackChannel": "#alerts-of-the-cache",
        "monitoring.remoteWriteUrl": "https://metrics.example/api/v1/write",
        "monitoring.remoteWriteToken": "remote-token",
    };
    /** Of these, what is no secret. */
    const known = ["alerts.slackChannel", "monitoring.remoteWriteUrl"];

    test("holds them in Secrets and nowhere else, and is the same each time", async () => {
        const { manifests } = await render({ stack: "prod", config: secrets });
        const secretValues = manifests
            .filter(({ kind }) => kind === "Secret")
            .flatMap(({ data }) => Object.values(data as Record<string, string>))
            .map((value) => Buffer.from(value, "base64").toString());
        expect(secretValues).toContain("app-secret");
        expect(secretValues).toContain("admin-secret");
        expect(secretValues).toContain("https://hooks.slack.example/T1/B2/token");
        expect(secretValues).toContain("remote-token");
        expect(secretValues.join()).not.toContain("[secret]");
        const others = JSON.stringify(manifests.filter(({ kind }) => kind !== "Secret"));
        for (const [key, value] of Object.entries(secrets)) {
            if (!known.includes(key)) expect(others).not.toContain(value);
        }
        const again = await render({ stack: "prod", config: secrets });
        expect(again.manifests).toEqual(manifests);
    });

    test("writes no stringData, of which server-side apply would never remove a key", async () => {
        const { manifests } = await render({ stack: "dev", config: secrets });
        for (const secret of manifests.filter(({ kind }) => kind === "Secret")) {
            expect(secret).not.toHaveProperty("stringData");
        }
    });

    test("is rejected if one is missing, rather than masked", async () => {
        const config = { "redis.passwords.app": "app-secret" };
        await expect(render({ stack: "prod", config })).rejects.toThrow(
            /redis\.passwords\.exporter is not set(.|\n)*redis\.passwords\.admin is not set/,
        );
    });
});
