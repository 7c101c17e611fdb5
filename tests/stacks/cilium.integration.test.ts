import { expect, test } from "@jest/globals";
import { at } from "../support/program.ts";
import { render } from "../support/stacks.ts";

/* Where Cilium serves the Gateway: what no NetworkPolicy can name has a CiliumNetworkPolicy beside it. */

const overrides = { "edge.controller": "cilium", "monitoring.gatewayAddress": "envoy:9964" };
const policiesOf = async (change: Record<string, string> = {}) => {
    const { manifests } = await render({ stack: "prod", overrides: { ...overrides, ...change } });
    return manifests.filter(({ kind }) => kind === "CiliumNetworkPolicy");
};
const tcp = (...ports: readonly string[]) => [
    { ports: ports.map((port) => ({ port, protocol: "TCP" })) },
];
const GATEWAY = { fromEntities: ["ingress"], toPorts: tcp("8001") };
const API_SERVER = { toEntities: ["kube-apiserver"], toPorts: tcp("443", "6443") };

test("the gateway reaches colours and solvers, and all clients of the API server reach it", async () => {
    const policies = (await policiesOf()).map(({ metadata, spec }) => [
        `${metadata.namespace ?? ""}/${metadata.name}`,
        at(spec, "ingress", 0) ?? at(spec, "egress", 0),
        at(spec, "endpointSelector"),
    ]);
    const name = "app.kubernetes.io/name";
    const of = (...values: readonly string[]) => ({
        matchExpressions: [{ key: name, operator: "In", values }],
    });
    const controller = { matchLabels: { "app.kubernetes.io/component": "controller" } };
    const solver = { matchLabels: { "acme.cert-manager.io/http01-solver": "true" } };
    const sorted = policies.sort(([a], [b]) => String(a).localeCompare(String(b)));
    expect(sorted).toEqual([
        ["property-search-blue/allow-cilium-gateway", GATEWAY, {}],
        ["property-search-certificates/allow-cilium-api-server", API_SERVER, {}],
        [
            "property-search-certificates/allow-cilium-gateway",
            { toEntities: ["ingress"], toPorts: tcp("80") },
            controller,
        ],
        ["property-search-data/allow-cilium-api-server", API_SERVER, of("redis-cluster-formation")],
        [
            "property-search-edge/allow-cilium-solvers",
            { fromEntities: ["ingress"], toPorts: tcp("8089") },
            solver,
        ],
        ["property-search-green/allow-cilium-gateway", GATEWAY, {}],
        [
            "property-search-monitoring/allow-cilium-api-server",
            API_SERVER,
            of("prometheus", "kube-state-metrics"),
        ],
        [
            "property-search-monitoring/allow-cilium-scrapes",
            { toEntities: ["host", "remote-node"], toPorts: tcp("9964") },
            of("prometheus"),
        ],
    ]);
});

test("there is no HTTP-01 solver without a challenge", async () => {
    const change = { "certificates.issuer": "selfSigned" };
    const names = (await policiesOf(change)).map(({ metadata }) => metadata.name);
    expect(names).not.toContain("allow-cilium-solvers");
    expect(names.filter((name) => name === "allow-cilium-gateway")).toHaveLength(2);
});

test("another gateway has none of them", async () => {
    expect(await policiesOf({ "edge.controller": "traefik" })).toEqual([]);
});
