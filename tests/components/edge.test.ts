import { describe, expect, test } from "@jest/globals";
import { perColour } from "@property-search/contract";
import { EdgeGateway, type EdgeGatewayArgs } from "../../components/edge.ts";
import type { RetrySettings } from "../../components/edge/retries.ts";
import { at, declared, needsOf } from "../support/program.ts";

const ARGS: EdgeGatewayArgs = {
    namespace: "edge",
    gatewayClassName: "some-class",
    httpPort: 8080,
    httpsPort: 8443,
    weights: { blue: 90, green: 10 },
    backends: perColour((colour) => ({ namespace: `ns-${colour}`, serviceName: `svc-${colour}` })),
};

const build = (change: Partial<EdgeGatewayArgs> = {}) =>
    declared(() => new EdgeGateway("edge", { ...ARGS, ...change }));

interface Rule {
    matches: { path: { type: string; value: string }; headers?: unknown[] }[];
    backendRefs: Record<string, unknown>[];
}

async function rules(change: Partial<EdgeGatewayArgs> = {}): Promise<Rule[]> {
    const route = (await build(change)).one(":HTTPRoute", "edge-route");
    return at(route.inputs, "spec", "rules") as Rule[];
}

describe("EdgeGateway", () => {
    test("divides traffic by the weights, with every field of both backends written out", async () => {
        const main = (await rules()).at(-1);
        expect(main?.backendRefs).toEqual([
            {
                group: "",
                kind: "Service",
                name: "svc-blue",
                namespace: "ns-blue",
                port: 8001,
                weight: 90,
            },
            {
                group: "",
                kind: "Service",
                name: "svc-green",
                namespace: "ns-green",
                port: 8001,
                weight: 10,
            },
        ]);
    });

    test("keeps a colour without traffic in the route, with weight 0", async () => {
        const main = (await rules({ weights: { blue: 0, green: 100 } })).at(-1);
        expect(main?.backendRefs.map((ref) => ref.weight)).toEqual([0, 100]);
    });

    test.each(["blue", "green"])("sends a request for %s to it", async (colour) => {
        const header = { type: "Exact", name: "x-preview-colour", value: colour };
        const rule = (await rules()).find(({ matches }) =>
            matches.every(({ headers }) => at(headers, 0, "value") === colour),
        );
        expect(rule?.matches.map(({ headers }) => headers)).toEqual(Array(7).fill([header]));
        expect(rule?.backendRefs).toEqual([
            expect.objectContaining({
                name: `svc-${colour}`,
                namespace: `ns-${colour}`,
                weight: 1,
            }),
        ]);
    });

    test("exposes the public paths, and neither probes nor metrics", async () => {
        for (const { matches } of await rules()) {
            expect(matches.map(({ path }) => path)).toEqual([
                { type: "Exact", value: "/embed" },
                { type: "Exact", value: "/v1/embeddings" },
                { type: "Exact", value: "/openai/v1/embeddings" },
                { type: "Exact", value: "/v1/feedback" },
                { type: "Exact", value: "/health" },
                { type: "PathPrefix", value: "/v1/models" },
                { type: "PathPrefix", value: "/openai/deployments" },
            ]);
        }
    });

    test.each(["blue", "green"])(
        "is granted %s's Service and nothing else there",
        async (colour) => {
            const grant = (await build()).one(":ReferenceGrant", `edge-grant-${colour}`).inputs;
            expect(grant).toMatchObject({
                apiVersion: "gateway.networking.k8s.io/v1beta1",
                metadata: { namespace: `ns-${colour}` },
                spec: {
                    from: [
                        {
                            group: "gateway.networking.k8s.io",
                            kind: "HTTPRoute",
                            namespace: "edge",
                        },
                    ],
                    to: [{ group: "", kind: "Service", name: `svc-${colour}` }],
                },
            });
        },
    );

    test("routes only after the Gateway and both grants", async () => {
        const { options } = (await build()).one(":HTTPRoute", "edge-route");
        expect(options.dependsOn).toHaveLength(3);
    });

    test("serves HTTP for any host by default", async () => {
        const all = await build();
        const gateway = all.one(":Gateway").inputs;
        expect(at(gateway, "spec", "gatewayClassName")).toBe("some-class");
        expect(at(gateway, "spec", "listeners")).toEqual([
            {
                name: "http",
                protocol: "HTTP",
                port: 8080,
                allowedRoutes: { namespaces: { from: "Same" } },
            },
        ]);
        expect(all.of(":HTTPRoute")).toHaveLength(1);
        expect(all.one(":HTTPRoute").inputs.spec).not.toHaveProperty("hostnames");
    });

    test("serves HTTPS with a certificate, and HTTP then only redirects", async () => {
        const all = await build({ https: {}, hostname: "a.example.com" });
        const listener = at(all.one(":Gateway").inputs, "spec", "listeners", 1);
        expect(listener).toMatchObject({
            protocol: "HTTPS",
            port: 8443,
            hostname: "a.example.com",
            tls: { mode: "Terminate", certificateRefs: [{ name: "embedding-gateway-tls" }] },
        });
        const section = (name: string) =>
            at(all.one(":HTTPRoute", name).inputs, "spec", "parentRefs", 0, "sectionName");
        expect(section("edge-route")).toBe("https");
        expect(section("edge-redirect")).toBe("http");
        const redirect = all.one(":HTTPRoute", "edge-redirect").inputs;
        expect(at(redirect, "spec", "rules", 0)).not.toHaveProperty("backendRefs");
        expect(at(redirect, "spec", "rules", 0, "filters", 0)).toEqual({
            type: "RequestRedirect",
            requestRedirect: { scheme: "https", port: 8443, statusCode: 301 },
        });
    });

    describe("behind other ports than its listeners'", () => {
        const ports = { publicHttpPort: 80, publicHttpsPort: 443 };
        const secure = { ...ports, https: {}, hostname: "a.example.com" };

        test("listens where the controller does, and sends clients where it is public", async () => {
            const all = await build(secure);
            const listeners = at(all.one(":Gateway").inputs, "spec", "listeners");
            expect([at(listeners, 0, "port"), at(listeners, 1, "port")]).toEqual([8080, 8443]);
            const redirect = all.one(":HTTPRoute", "edge-redirect").inputs;
            expect(at(redirect, "spec", "rules", 0, "filters", 0, "requestRedirect", "port")).toBe(
                443,
            );
        });

        test.each([
            [secure, "https://a.example.com"],
            [{ ...secure, publicHttpsPort: 8444 }, "https://a.example.com:8444"],
            [{ ...secure, publicHttpsPort: undefined }, "https://a.example.com:8443"],
            [ports, "http://HOST"],
            [{}, "http://HOST:8080"],
        ])("with %j has the URL %s, on the Gateway itself too", async (change, url) => {
            const { metadata } = (await build(change)).one(":Gateway").inputs;
            expect(at(metadata, "annotations", "property-search.io/public-url")).toBe(url);
        });
    });

    test("serves the certificate of another namespace, which it is granted alone", async () => {
        const secret = { name: "wildcard", namespace: "certificates" };
        const all = await build({ https: { secret }, hostname: "a.example.com" });
        const listener = at(all.one(":Gateway").inputs, "spec", "listeners", 1);
        expect(at(listener, "tls", "certificateRefs")).toEqual([
            { group: "", kind: "Secret", ...secret },
        ]);
        expect(all.one(":ReferenceGrant", "edge-grant-certificate").inputs).toMatchObject({
            metadata: { namespace: "certificates" },
            spec: {
                from: [{ group: "gateway.networking.k8s.io", kind: "Gateway", namespace: "edge" }],
                to: [{ group: "", kind: "Secret", name: "wildcard" }],
            },
        });
    });

    test("GKE's load balancers use the check of each colour's readiness probe", async () => {
        const all = await build({ gatewayClassName: "gke-l7-regional-external-managed" });
        const policies = all.of(":HealthCheckPolicy").map(({ inputs }) => inputs);
        expect(policies.map((one) => at(one, "metadata", "namespace"))).toEqual([
            "ns-blue",
            "ns-green",
        ]);
        expect(at(policies[0], "spec")).toMatchObject({
            default: {
                config: { type: "HTTP", httpHealthCheck: { port: 8001, requestPath: "/readyz" } },
            },
            targetRef: { group: "", kind: "Service" },
        });
        expect((await build()).of(":HealthCheckPolicy")).toEqual([]);
    });

    describe("with requests sent again", () => {
        const bounds = {
            retryAttempts: 4,
            retryIntervalMilliseconds: 50,
            retryTimeoutSeconds: 7,
            retryBodyBytes: 2048,
        };
        const by = (filter: RetrySettings["filter"]) => ({ retries: { filter, ...bounds } });
        /** Fields of a rule other than matches and backends. */
        const others = ({ matches, backendRefs, ...rest }: Rule) => {
            expect([matches.length, backendRefs.length]).not.toContain(0);
            return rest;
        };
        const onEachRule = async (filter: RetrySettings["filter"]) =>
            (await rules(by(filter))).map(others);

        test("are off by default", async () => {
            expect((await rules()).map(others)).toEqual([{}, {}, {}]);
            const kinds = (await build()).all.map(({ type }) => type.split(":").pop());
            expect(new Set(kinds)).toEqual(
                new Set(["EdgeGateway", "Gateway", "HTTPRoute", "ReferenceGrant"]),
            );
        });

        test("by Traefik: after lost connections, for POST too, and not after a response", async () => {
            const middleware = (await build(by("traefik"))).one(":Middleware").inputs;
            expect(middleware).toMatchObject({
                apiVersion: "traefik.io/v1alpha1",
                metadata: { namespace: "edge", name: "embedding-service" },
            });
            expect(middleware.spec).toEqual({
                retry: {
                    attempts: 5,
                    initialInterval: "50ms",
                    timeout: "7s",
                    status: ["502"],
                    retryNonIdempotentMethod: true,
                    maxRequestBodyBytes: 2048,
                },
            });
        });

        test("by Traefik on every rule, by the filter's name in the route's own namespace", async () => {
            const all = await build(by("traefik"));
            const { name } = all.one(":Middleware").inputs.metadata as { name: string };
            const extensionRef = { group: "traefik.io", kind: "Middleware", name };
            const filters = [{ type: "ExtensionRef", extensionRef }];
            expect(await onEachRule("traefik")).toEqual([{ filters }, { filters }, { filters }]);
            expect(needsOf(all.one(":HTTPRoute"))).toContain("Middleware");
        });

        test("by Envoy Gateway, which knows a broken connection and bounds the share", async () => {
            const policy = (await build(by("envoy-gateway"))).one(":BackendTrafficPolicy").inputs;
            expect(policy).toMatchObject({
                apiVersion: "gateway.envoyproxy.io/v1alpha1",
                metadata: { namespace: "edge" },
                spec: {
                    targetRefs: [{ kind: "HTTPRoute", name: "embedding-service" }],
                    retry: {
                        numRetries: 4,
                        retryOn: { triggers: ["connect-failure", "reset", "refused-stream"] },
                        perRetry: { backOff: { baseInterval: "50ms", maxInterval: "100ms" } },
                    },
                    circuitBreaker: {
                        retryBudget: { percent: { numerator: 50, denominator: 100 } },
                    },
                },
            });
            expect(await onEachRule("envoy-gateway")).toEqual([{}, {}, {}]);
        });

        test("by any gateway that supports the route's own field", async () => {
            const retry = { attempts: 4, backoff: "50ms", codes: [502] };
            expect(await onEachRule("gateway-api")).toEqual([{ retry }, { retry }, { retry }]);
        });
    });

    test("rejects invalid weights, and HTTPS without a host name", async () => {
        await expect(build({ weights: { blue: 90, green: 20 } })).rejects.toThrow(/sums to 110/);
        await expect(build({ https: {} })).rejects.toThrow(/hostname is not set/);
    });
});
