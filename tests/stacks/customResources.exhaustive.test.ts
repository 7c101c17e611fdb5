import { beforeAll, describe, expect, test } from "@jest/globals";
import { FIELDS, type Field } from "../../config/dns01.ts";
import { fetchManifests } from "../../bench/policies/thirdParty/modules.ts";
import type { Manifest, RenderOptions } from "../../render.ts";
import { Definitions, DEFINITIONS } from "../support/definitions.ts";
import { at } from "../support/program.ts";
import { render } from "../support/stacks.ts";

/* Custom resources against the CRDs that their projects publish: unknown fields, types, patterns. */

const ACME = {
    "certificates.enabled": "true",
    "certificates.certManager": "existing",
    "certificates.issuer": "acme",
    "certificates.email": "ops@example.com",
    "edge.hostname": "embeddings.example.com",
};
const OPERATOR = {
    "prometheus.source": "operator",
    "prometheus.url": "http://prometheus-operated.monitoring.svc:9090",
    "prometheus.namespace": "monitoring",
    "network.destinations":
        '{"prometheus":[{"namespace":"monitoring","podLabels":{},"port":9090}]}',
    "prometheus.token": "a-token-of-the-api",
};

/** Between them, every custom resource in every form. */
const RENDERED: Readonly<Record<string, RenderOptions>> = {
    dev: { stack: "dev" },
    prod: { stack: "prod" },
    local: { stack: "local" },
    "the Prometheus Operator": { stack: "prod", overrides: OPERATOR },
    "Envoy Gateway": { stack: "prod", overrides: { "edge.controller": "envoy-gateway" } },
    Cilium: {
        stack: "prod",
        overrides: { "edge.controller": "cilium", "monitoring.gatewayAddress": "node:9964" },
    },
    "an ACME issuer by HTTP-01": { stack: "dev", overrides: ACME },
    "an ACME issuer by DNS-01": {
        stack: "dev",
        overrides: {
            ...ACME,
            "certificates.challenge": "dns01",
            "certificates.dns01": '{"route53":{"region":"eu-central-1"}}',
        },
    },
    "an issuer that signs itself": {
        stack: "dev",
        overrides: { ...ACME, "certificates.issuer": "selfSigned" },
    },
};
const KINDS = [
    "BackendTrafficPolicy",
    "Certificate",
    "CiliumNetworkPolicy",
    "Gateway",
    "HTTPRoute",
    "Issuer",
    "Middleware",
    "PodMonitor",
    "PrometheusRule",
    "ReferenceGrant",
    "ScaledObject",
    "TriggerAuthentication",
];

/** Kubernetes' own groups have no dot, or end so. */
function isCustom({ apiVersion }: Manifest): boolean {
    const [group = ""] = apiVersion.split("/");
    const isOwn = !group.includes(".") || group.endsWith(".k8s.io");
    return !isOwn || group === "gateway.networking.k8s.io";
}

const copyOf = (manifest: Manifest) => JSON.parse(JSON.stringify(manifest)) as Manifest;

let definitions: Definitions;
const custom = new Map<string, Manifest[]>();

beforeAll(async () => {
    definitions = await Definitions.read();
    for (const [name, options] of Object.entries(RENDERED)) {
        custom.set(name, (await render(options)).manifests.filter(isCustom));
    }
});

describe.each(Object.keys(RENDERED))("%s", (name) => {
    test("has custom resources as their definitions allow them", () => {
        const manifests = custom.get(name) ?? [];
        expect(manifests).not.toEqual([]);
        expect(manifests.flatMap((one) => definitions.faultsOf(one))).toEqual([]);
    });
});

test("every kind is looked at, and a field that it does not have is found", () => {
    const all = [...custom.values()].flat();
    expect([...new Set(all.map(({ kind }) => kind))].sort()).toEqual(KINDS);
    for (const manifest of all) {
        const wrong = copyOf(manifest);
        Object.assign((wrong as unknown as { spec: object }).spec, { misspelt: 1 });
        expect(definitions.faultsOf(wrong)).not.toEqual([]);
    }
});

test.each([
    ["scrapeTimeOut", "10s"],
    ["interval", "15 seconds"],
    ["honorLabels", "true"],
])("a PodMonitor's endpoint with %s %j is found", (field, value) => {
    const all = custom.get("the Prometheus Operator") ?? [];
    const monitor = all.find(({ kind }) => kind === "PodMonitor");
    if (!monitor) throw new Error("there is no PodMonitor");
    const wrong = copyOf(monitor);
    const { spec } = wrong as unknown as { spec: { podMetricsEndpoints: object[] } };
    Object.assign(spec.podMetricsEndpoints[0] ?? {}, { [field]: value });
    const faults = definitions.faultsOf(wrong);
    expect(faults.length).toBeGreaterThan(0);
    expect(faults.join()).toContain(field === "scrapeTimeOut" ? "podMetricsEndpoints/0" : field);
});

test("a DNS-01 solver may have the fields that cert-manager's definition has, and no others", async () => {
    const projects = DEFINITIONS.filter(({ name }) => name === "cert-manager");
    const objects = (await Promise.all(projects.map(fetchManifests))).flat();
    const issuer = objects.find(({ body }) => at(body, "spec", "names", "kind") === "Issuer");
    const properties = (root: unknown, ...path: readonly string[]) =>
        path.reduce((schema, key) => at(schema, "properties", key), root);
    const schema = at(issuer?.body, "spec", "versions", 0, "schema", "openAPIV3Schema");
    const solver = at(properties(schema, "spec", "acme", "solvers"), "items");
    const { cnameStrategy, ...providers } = namesIn(properties(solver, "dns01")) as object & {
        cnameStrategy: unknown;
    };
    expect(cnameStrategy).toBe("value");
    expect(mapped(FIELDS, namesOf)).toEqual(providers);
});

const mapped = (object: object, to: (value: never) => unknown) =>
    Object.fromEntries(Object.entries(object).map(([key, value]) => [key, to(value as never)]));

/** Names of the fields that a schema has, at all depths. */
function namesIn(schema: unknown): unknown {
    const fields = at(schema, "properties") as object | undefined;
    return fields === undefined ? "value" : mapped(fields, namesIn);
}

function namesOf(field: Field): unknown {
    if (field === "secret") return { name: "value", key: "value" };
    return typeof field === "object" && !Array.isArray(field) ? mapped(field, namesOf) : "value";
}
