import { describe, expect, test } from "@jest/globals";
import { EXAMPLE_NAMESPACE, NAMESPACES } from "@property-search/contract";
import { envoyServiceName } from "../../components/edge/controllers.ts";
import { externalDestinations } from "../../components/networkPolicies/policies.ts";
import { allowedConnections } from "../../config/traffic.ts";
import { loadStack } from "../support/loadStack.ts";
import { at, containersOf } from "../support/program.ts";
import { render } from "../support/stacks.ts";

const manifestsOf = async (overrides: Record<string, string> = {}, stack = "dev") =>
    (await render({ stack, overrides })).manifests;
const urlOf = (change: Record<string, string> = {}) => loadStack(change).example?.serviceUrl;
const flows = (change: Record<string, string> = {}) => allowedConnections(loadStack(change));
const CUSTOM = {
    "edge.controller": "custom",
    "edge.gatewayClassName": "kgateway",
    "edge.controllerNamespace": "property-search-edge",
};

describe("a stack without the example", () => {
    test.each([["dev", { "example.enabled": "false" }] as const, ["prod", {}] as const])(
        "%s: has no object of it",
        async (stack, change) => {
            const text = JSON.stringify(await manifestsOf(change, stack));
            expect(text).not.toContain(EXAMPLE_NAMESPACE);
            expect(text).not.toContain('"/api"');
        },
    );

    test("has the same route of the service, Redis and colours as one with it, but for its tenant", async () => {
        const core = ["property-search-blue", "property-search-data"];
        const of = async (change: Record<string, string>) =>
            (await manifestsOf(change)).filter(
                ({ metadata }) =>
                    metadata.name !== "tenants" &&
                    (core.includes(metadata.namespace ?? "") ||
                        metadata.name === "embedding-service"),
            );
        expect(await of({})).toEqual(await of({ "example.enabled": "false" }));
    });
});

describe("behind the Gateway", () => {
    test("the page is exactly /, and the API is below /api, on the listener of the service", async () => {
        for (const [stack, change] of [
            ["dev", {}],
            ["prod", { "example.enabled": "true", "example.image": "r.example/search:v1.0.0" }],
        ] as const) {
            const routes = (await manifestsOf(change, stack)).filter(
                ({ kind }) => kind === "HTTPRoute",
            );
            const route = (name: string) =>
                at(
                    routes.find(({ metadata }) => metadata.name === name),
                    "spec",
                );
            expect(at(route("property-search"), "rules")).toEqual([
                {
                    matches: [
                        { path: { type: "Exact", value: "/" } },
                        { path: { type: "PathPrefix", value: "/api" } },
                    ],
                    backendRefs: [
                        expect.objectContaining({
                            namespace: EXAMPLE_NAMESPACE,
                            name: "property-search",
                            port: 3000,
                        }),
                    ],
                },
            ]);
            for (const field of ["parentRefs", "hostnames"]) {
                expect(at(route("property-search"), field)).toEqual(
                    at(route("embedding-service"), field),
                );
            }
        }
    });

    test("is healthy for GKE's load balancers by its own path", async () => {
        const manifests = await manifestsOf({
            "edge.controller": "custom",
            "edge.gatewayClassName": "gke-l7-regional-external-managed",
            "edge.controllerNamespace": "gateways",
            "edge.hostname": "homes.property.example",
        });
        const check = manifests.find(
            ({ kind, metadata }) =>
                kind === "HealthCheckPolicy" && metadata.namespace === EXAMPLE_NAMESPACE,
        );
        expect(at(check, "spec", "default", "config", "httpHealthCheck")).toEqual({
            port: 3000,
            requestPath: "/readyz",
        });
    });

    test("no other route has its paths", async () => {
        const routes = (await manifestsOf({ "insights.expose": "true" })).filter(
            ({ kind, metadata }) => kind === "HTTPRoute" && metadata.name !== "property-search",
        );
        const paths = JSON.stringify(routes).match(/"value":"\/[^"]*"/g) ?? [];
        expect(paths.length).toBeGreaterThan(5);
        expect(paths.filter((path) => /"\/(api[^"]*)?"/.test(path))).toEqual([]);
    });
});

describe("the way to the service", () => {
    test.each([
        ["traefik", "http://traefik.traefik.svc.cluster.local"],
        [
            "envoy-gateway",
            "http://envoy-property-search-edge-embedding-gateway-a8ceec56.envoy-gateway-system.svc.cluster.local",
        ],
        ["istio", "http://embedding-gateway-istio.property-search-edge.svc.cluster.local"],
        [
            "cilium",
            "http://cilium-gateway-embedding-gateway.property-search-edge.svc.cluster.local",
        ],
        ["nginx", "http://embedding-gateway-nginx.property-search-edge.svc.cluster.local"],
    ])("%s: is the Gateway's Service in the cluster", (controller, url) => {
        expect(urlOf({ "edge.controller": controller })).toBe(url);
    });

    test("Envoy Gateway's name is that of its documentation", () => {
        expect(envoyServiceName("default", "eg")).toBe("envoy-default-eg-e41e7b31");
    });

    test("is where the stack has installed the controller, on its port", () => {
        const change = { "edge.controllerNamespace": "gateways", "edge.httpPort": "8080" };
        expect(urlOf(change)).toBe("http://traefik.gateways.svc.cluster.local:8080");
    });

    test("is the public URL where the route has a host name, with its port open", () => {
        const change = { "edge.hostname": "homes.property.example" };
        expect(urlOf(change)).toBe("http://homes.property.example");
        expect(flows(change).example?.embeddings).toEqual(externalDestinations(80));
        const secure = { "certificates.enabled": "true", "certificates.issuer": "selfSigned" };
        expect(urlOf({ ...change, ...secure })).toBe("https://homes.property.example");
        expect(flows({ ...change, ...secure }).example?.embeddings).toEqual(
            externalDestinations(443),
        );
        expect(flows().example?.embeddings).toEqual([]);
        // A host name of two labels is no Service here.
        expect(urlOf({ "edge.hostname": "homes.example" })).toBe("http://homes.example");
    });

    test("is required where nothing is known of the gateway", () => {
        expect(() => loadStack(CUSTOM)).toThrow(
            /example\.serviceUrl is not set; allowed: .*, since edge\.controller is custom/,
        );
        const pods = { namespace: "gateways", podLabels: { app: "proxy" }, port: 8080 };
        const url = { ...CUSTOM, "example.serviceUrl": "http://proxy.gateways.svc:8080" };
        expect(() => loadStack(url)).toThrow(/with network\.destinations\.embeddings/);
        const named = {
            ...url,
            "network.destinations": JSON.stringify({ embeddings: [pods] }),
        };
        expect(urlOf(named)).toBe("http://proxy.gateways.svc:8080");
        expect(flows(named).example?.embeddings).toEqual([pods]);
    });
});

describe("the pod", () => {
    const CHAT = {
        "example.chatUrl": "https://chat.example/v1",
        "example.chatApiKey": "a-chat-key-of-a-test",
    };

    test("has its keys from a Secret, and a chat API only where the stack names one", async () => {
        const of = async (change: Record<string, string>) => {
            const manifests = await manifestsOf(change);
            const deployment = manifests.find(
                ({ kind, metadata }) =>
                    kind === "Deployment" && metadata.namespace === EXAMPLE_NAMESPACE,
            );
            const env = deployment && at(containersOf(deployment)[0], "env");
            return env as { name: string; value?: string; valueFrom?: unknown }[];
        };
        const plain = await of({});
        expect(plain.map(({ name }) => name)).toEqual([
            ...["PORT", "EMBEDDING_URL", "EMBEDDING_MODEL", "EMBEDDING_API_KEY"],
            "DRAIN_TIMEOUT_SECONDS",
        ]);
        const keys = (await of(CHAT)).filter(({ name }) => name.endsWith("_KEY"));
        expect(keys.map(({ valueFrom }) => at(valueFrom, "secretKeyRef"))).toEqual([
            { name: "property-search", key: "embedding-api-key" },
            { name: "property-search", key: "chat-api-key" },
        ]);
        expect(flows(CHAT).example?.chat).toEqual(externalDestinations(443));
        expect(flows().example?.chat).toEqual([]);
    });

    test("is scraped by the stack's Prometheus, and by no other", () => {
        expect(flows().example?.scraped).toBe(true);
        const none = { "monitoring.enabled": "false", "autoscaling.metric": "none" };
        expect(flows(none).example?.scraped).toBe(false);
    });

    test("is watched by kube-state-metrics, which may read what it reads of other namespaces", async () => {
        const manifests = await manifestsOf();
        const watcher = manifests.find(
            ({ kind, metadata }) => kind === "Deployment" && metadata.name === "kube-state-metrics",
        );
        const args = (watcher && at(containersOf(watcher)[0], "args")) as string[];
        const watched = args
            .find((arg) => arg.startsWith("--namespaces="))
            ?.split(/[=,]/)
            .slice(1);
        expect(watched).toEqual([...Object.values(NAMESPACES), EXAMPLE_NAMESPACE]);
        const rulesIn = (namespace: string) => {
            const of = (kind: string) =>
                manifests.find(
                    (one) =>
                        one.kind === kind &&
                        one.metadata.namespace === namespace &&
                        one.metadata.name === "kube-state-metrics",
                );
            expect(at(of("RoleBinding"), "subjects", 0)).toMatchObject({
                name: "kube-state-metrics",
                namespace: NAMESPACES.monitoring,
            });
            return at(of("Role"), "rules");
        };
        expect(rulesIn(EXAMPLE_NAMESPACE)).toEqual(rulesIn(NAMESPACES.blue));
        expect(JSON.stringify(rulesIn(EXAMPLE_NAMESPACE))).toContain('"pods"');
    });

    test("reaches Cilium's proxies, and is reached by them", async () => {
        const policies = (await manifestsOf({ "edge.controller": "cilium" })).filter(
            ({ kind, metadata }) =>
                kind === "CiliumNetworkPolicy" && metadata.namespace === EXAMPLE_NAMESPACE,
        );
        expect(policies.map(({ metadata }) => metadata.name).sort()).toEqual([
            "allow-cilium-embeddings",
            "allow-cilium-gateway",
        ]);
    });

    test("is reached by proxies in the Gateway's namespace", async () => {
        const policy = (await manifestsOf({ "edge.controller": "istio" })).find(
            ({ kind, metadata }) =>
                kind === "NetworkPolicy" &&
                metadata.namespace === NAMESPACES.edge &&
                metadata.name === "allow-example",
        );
        expect(at(policy, "spec", "egress", 0, "ports")).toEqual([{ protocol: "TCP", port: 3000 }]);
    });

    test("needs an image", () => {
        expect(() => loadStack({ "example.image": "" })).toThrow(
            /example\.image is not set; allowed: .*, since example\.enabled is true/,
        );
    });
});
