import { beforeAll, describe, expect, test } from "@jest/globals";
import { EXAMPLE_NAMESPACE, NAMESPACES } from "@property-search/contract";
import type { Manifest } from "../../render/manifests.ts";
import { isLetThrough, type Endpoint } from "../support/policyTraffic.ts";
import { at } from "../support/program.ts";
import { render } from "../support/stacks.ts";

/* Whether the rendered routes and network policies let the traffic through, for each gateway as its chart installs it. */

const EDGE_PROXY: Endpoint = {
    namespace: NAMESPACES.edge,
    labels: { "gateway.networking.k8s.io/gateway-name": "embedding-gateway" },
};

/** The proxies, and the port of their pods for HTTP. */
const GATEWAYS: readonly (readonly [string, Endpoint, number])[] = [
    ["traefik", { namespace: "traefik", labels: { "app.kubernetes.io/name": "traefik" } }, 8000],
    [
        "envoy-gateway",
        {
            namespace: "envoy-gateway-system",
            labels: {
                "gateway.envoyproxy.io/owning-gateway-namespace": NAMESPACES.edge,
                "gateway.envoyproxy.io/owning-gateway-name": "embedding-gateway",
            },
        },
        10080,
    ],
    ["istio", EDGE_PROXY, 80],
    ["cilium", { entity: "ingress" }, 80],
    ["nginx", EDGE_PROXY, 80],
];

describe.each(GATEWAYS)("behind %s", (controller, proxy, port) => {
    let manifests: readonly Manifest[];
    const podOf = (namespace: string): Endpoint => {
        const found = manifests.find(
            ({ kind, metadata }) => kind === "Deployment" && metadata.namespace === namespace,
        );
        const labels = at(found, "spec", "template", "metadata", "labels");
        return { namespace, labels: labels as Record<string, string> };
    };
    const letsThrough = (from: Endpoint, to: Endpoint, toPort: number) =>
        isLetThrough(manifests, from, to, toPort);

    beforeAll(async () => {
        const overrides = { "edge.controller": controller, "insights.enabled": "false" };
        ({ manifests } = await render({ stack: "dev", overrides }));
    });

    test("the routes of service and example are those of the Gateway, which may use their Services", () => {
        const routes = manifests.filter(({ kind }) => kind === "HTTPRoute");
        const backends = routes.flatMap(({ metadata, spec }) => {
            expect(metadata.namespace).toBe(NAMESPACES.edge);
            expect(at(spec, "parentRefs", 0, "name")).toBe("embedding-gateway");
            const rules = at(spec, "rules") as { backendRefs: Record<string, string>[] }[];
            return rules.flatMap(({ backendRefs }) => backendRefs);
        });
        const names = new Set(
            backends.map(({ namespace = "", name = "" }) => `${namespace}/${name}`),
        );
        expect([...names].sort()).toEqual([
            "property-search-blue/embedding-service-blue",
            "property-search-example/property-search",
            "property-search-green/embedding-service-green",
        ]);
        const granted = manifests
            .filter(({ kind }) => kind === "ReferenceGrant")
            .map(({ metadata, spec }) => {
                expect(at(spec, "from", 0, "namespace")).toBe(NAMESPACES.edge);
                return `${metadata.namespace ?? ""}/${String(at(spec, "to", 0, "name"))}`;
            });
        expect(granted.sort()).toEqual([...names].sort());
    });

    test("the gateway reaches the pods of both colours and of the example", () => {
        for (const [namespace, podPort] of [
            [NAMESPACES.blue, 8001],
            [NAMESPACES.green, 8001],
            [EXAMPLE_NAMESPACE, 3000],
        ] as const) {
            const pod = podOf(namespace);
            expect([namespace, letsThrough(proxy, pod, podPort)]).toEqual([namespace, true]);
            expect([namespace, letsThrough(proxy, pod, 9999)]).toEqual([namespace, false]);
        }
    });

    test("the example reaches the gateway, and nothing of the stack past it", () => {
        const example = podOf(EXAMPLE_NAMESPACE);
        expect(letsThrough(example, proxy, port)).toBe(true);
        expect(letsThrough(example, podOf(NAMESPACES.blue), 8001)).toBe(false);
        const redis = { namespace: NAMESPACES.data, labels: {} };
        expect(letsThrough(example, redis, 6379)).toBe(false);
    });

    test("other pods of the cluster reach neither service nor example", () => {
        const stranger = { namespace: "default", labels: { app: "stranger" } };
        expect(letsThrough(stranger, podOf(NAMESPACES.blue), 8001)).toBe(false);
        expect(letsThrough(stranger, podOf(EXAMPLE_NAMESPACE), 3000)).toBe(false);
    });
});
