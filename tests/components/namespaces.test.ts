import { beforeAll, describe, expect, test } from "@jest/globals";
import { parseBytes } from "@property-search/contract";
import { GATEWAY_CONTROLLERS } from "../../components/edge/controllers.ts";
import { Namespaces } from "../../components/namespaces.ts";
import type { NetworkFlows } from "../../components/networkPolicies.ts";
import { externalDestinations } from "../../components/networkPolicies/policies.ts";
import { namespaceQuotas } from "../../components/quotas.ts";
import { at, declared, type Declared } from "../support/program.ts";

const RESOURCES = { cpuRequest: "100m", cpuLimit: "2", memoryRequest: "384Mi", memoryLimit: "1Gi" };
const REDIS = { pods: 6, containers: [RESOURCES], storage: "10Gi" };
const ROLES = ["blue", "green", "edge", "data", "monitoring"] as const;

const TRAFFIC: NetworkFlows = {
    gateway: {
        namespace: "gateways",
        podLabels: {},
        cidrs: [],
        podPorts: [8000, 8443],
        provisions: undefined,
    },
    dns: [{ namespace: "kube-system", podLabels: {}, port: 53 }],
    externalRedis: [],
    upstream: [],
    tracing: [],
    redisZones: false,
    acmeSolver: false,
    monitoring: {
        readers: ["keda"],
        apiServerCidrs: [],
        exporter: true,
        grafana: true,
        remoteWrite: [],
        receivers: [],
    },
};
const MONITORING = [
    { pods: 1, containers: [RESOURCES], volumes: { count: 1, size: "20Gi" } },
    { pods: 2, containers: [RESOURCES] },
];

const tcp = (port: number) => ({ protocol: "TCP", port });
const udp = (port: number) => ({ protocol: "UDP", port });
/** All pods of a namespace. */
const namespacePeer = (name: string) => ({
    namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": name } },
});

const build = (traffic: Partial<NetworkFlows> = {}) =>
    declared(
        () =>
            new Namespaces("n", {
                quotas: namespaceQuotas({
                    service: { maxReplicas: 10, resources: RESOURCES },
                    redis: REDIS,
                    monitoring: MONITORING,
                }),
                flows: { ...TRAFFIC, ...traffic },
            }),
    );

describe("Namespaces", () => {
    let all: Declared;
    beforeAll(async () => {
        all = await build();
    });
    const inNamespace = (type: string, role: string, from = all) =>
        from
            .of(type)
            .map(({ inputs }) => inputs)
            .filter((inputs) => at(inputs, "metadata", "namespace") === `property-search-${role}`);
    const policy = (role: string, name: string, from = all) =>
        inNamespace(":NetworkPolicy", role, from).find(
            (one) => at(one, "metadata", "name") === name,
        );

    test.each(ROLES)("%s enforces Pod Security at a pinned version", (role) => {
        const namespace = all.one(":Namespace", `n-${role}-namespace`);
        expect(at(namespace.inputs, "metadata", "labels")).toMatchObject({
            "pod-security.kubernetes.io/enforce": "restricted",
            "pod-security.kubernetes.io/enforce-version": expect.stringMatching(/^v1\.\d+$/),
        });
    });

    test.each(ROLES)("%s has one quota and defaults for containers without values", (role) => {
        expect(inNamespace(":ResourceQuota", role)).toHaveLength(1);
        expect(at(inNamespace(":LimitRange", role)[0], "spec", "limits", 0)).toMatchObject({
            type: "Container",
            defaultRequest: { cpu: expect.any(String), memory: expect.any(String) },
            default: { cpu: expect.any(String), memory: expect.any(String) },
        });
    });

    test.each(ROLES)("%s denies everything both ways but names", (role) => {
        expect(at(policy(role, "default-deny"), "spec")).toEqual({
            podSelector: {},
            policyTypes: ["Ingress", "Egress"],
        });
        expect(at(policy(role, "allow-dns"), "spec", "egress", 0, "ports")).toEqual([
            udp(53),
            tcp(53),
        ]);
    });

    test("a colour is reachable from the gateway and monitoring on 8001 only", () => {
        for (const role of ["blue", "green"]) {
            const ingress = inNamespace(":NetworkPolicy", role).flatMap(
                (one) => (at(one, "spec", "ingress") ?? []) as unknown[],
            );
            expect(ingress).toEqual(
                ["gateways", "property-search-monitoring"].map((name) => ({
                    from: [namespacePeer(name)],
                    ports: [tcp(8001)],
                })),
            );
        }
    });

    test("a gateway on the host's network is let in by its nodes' addresses", async () => {
        const gateway = { ...TRAFFIC.gateway, cidrs: ["10.1.0.0/16"] };
        const from = at(
            policy("blue", "allow-gateway", await build({ gateway })),
            ...["spec", "ingress", 0, "from"],
        );
        expect(from).toContainEqual({ ipBlock: { cidr: "10.1.0.0/16" } });
    });

    test("without an upstream a colour reaches Redis and names only", () => {
        const names = inNamespace(":NetworkPolicy", "blue")
            .filter((one) => at(one, "spec", "egress") !== undefined)
            .map((one) => at(one, "metadata", "name"));
        expect(names.sort()).toEqual(["allow-dns", "allow-redis"]);
    });

    test("an upstream is reached on its port, the cloud's metadata never", async () => {
        const upstream = policy(
            "green",
            "allow-upstream",
            await build({
                upstream: [...externalDestinations(8443), ...externalDestinations(443)],
            }),
        );
        const to = [
            { ipBlock: { cidr: "0.0.0.0/0", except: ["169.254.0.0/16"] } },
            { ipBlock: { cidr: "::/0", except: ["fe80::/10", "fd00:ec2::254/128"] } },
        ];
        expect(at(upstream, "spec", "egress")).toEqual([
            { to, ports: [tcp(8443)] },
            { to, ports: [tcp(443)] },
        ]);
    });

    test("a destination is pods with their own port, or a range without the cloud's metadata", async () => {
        const tei = { namespace: "models", podLabels: { app: "tei" }, port: 8080 };
        const ranges = ["10.1.0.0/16", "169.0.0.0/8", "169.254.20.10/32", "fd00::/8"];
        const upstream = [tei, ...ranges.map((cidr) => ({ cidr, port: 443 }))];
        const spec = at(policy("blue", "allow-upstream", await build({ upstream })), "spec");
        const namespaceSelector = { matchLabels: { "kubernetes.io/metadata.name": "models" } };
        expect(at(spec, "egress")).toEqual([
            {
                to: [{ namespaceSelector, podSelector: { matchLabels: { app: "tei" } } }],
                ports: [tcp(8080)],
            },
            {
                to: [
                    { ipBlock: { cidr: "10.1.0.0/16" } },
                    { ipBlock: { cidr: "169.0.0.0/8", except: ["169.254.0.0/16"] } },
                    { ipBlock: { cidr: "169.254.20.10/32" } },
                    { ipBlock: { cidr: "fd00::/8", except: ["fd00:ec2::254/128"] } },
                ],
                ports: [tcp(443)],
            },
        ]);
    });

    test("names are resolved by the stack's DNS servers, each on its own port", async () => {
        const dns = [
            { cidr: "169.254.20.10/32", port: 53 },
            { namespace: "openshift-dns", podLabels: {}, port: 5353 },
        ];
        const built = await build({ dns });
        for (const role of ROLES) {
            expect(at(policy(role, "allow-dns", built), "spec", "egress")).toEqual([
                {
                    to: [{ ipBlock: { cidr: "169.254.20.10/32" } }],
                    ports: [udp(53), tcp(53)],
                },
                {
                    to: [namespacePeer("openshift-dns")],
                    ports: [udp(5353), tcp(5353)],
                },
            ]);
        }
    });

    test("a collector of traces is reached on its port", async () => {
        const traces = policy(
            "blue",
            "allow-traces",
            await build({ tracing: externalDestinations(4318) }),
        );
        expect(at(traces, "spec", "egress", 0, "ports")).toEqual([tcp(4318)]);
    });

    test("an external Redis is reached outside, and our own no more", async () => {
        const redis = policy(
            "blue",
            "allow-redis",
            await build({
                externalRedis: [...externalDestinations(26379), ...externalDestinations(6380)],
            }),
        );
        const to = expect.arrayContaining([
            expect.objectContaining({ ipBlock: expect.anything() }),
        ]);
        expect(at(redis, "spec", "egress")).toEqual([
            { to, ports: [tcp(26379)] },
            { to, ports: [tcp(6380)] },
        ]);
    });

    const monitoringPolicy = (name: string, traffic?: Partial<NetworkFlows["monitoring"]>) =>
        build({ monitoring: { ...TRAFFIC.monitoring, ...traffic } }).then((from) =>
            policy("monitoring", name, from),
        );
    const named = (name: string) => ({ matchLabels: { "app.kubernetes.io/name": name } });

    test("Prometheus, whose port takes commands too, is reached from its namespace and KEDA's only", () => {
        const spec = at(policy("monitoring", "allow-queries"), "spec");
        expect(spec).toEqual({
            podSelector: named("prometheus"),
            policyTypes: ["Ingress"],
            ingress: [
                {
                    from: [{ podSelector: {} }, namespacePeer("keda")],
                    ports: [tcp(9090)],
                },
            ],
        });
    });

    test("every policy of monitoring but the first two is of one part's pods", () => {
        const specs = inNamespace(":NetworkPolicy", "monitoring").map((one) => [
            at(one, "metadata", "name"),
            at(one, "spec", "podSelector", "matchLabels") ?? "all",
        ]);
        const ofAll = specs.filter(([, labels]) => labels === "all").map(([name]) => name);
        expect(ofAll.sort()).toEqual(["allow-dns", "default-deny"]);
    });

    test("the exporter is reachable from monitoring, and connects only to Redis", () => {
        const scrapes = at(policy("data", "allow-scrapes"), "spec");
        expect(scrapes).toMatchObject({
            podSelector: named("redis-exporter"),
            ingress: [{ ports: [tcp(9121)] }],
        });
        const out = inNamespace(":NetworkPolicy", "data").filter(
            (one) => at(one, "spec", "egress") !== undefined,
        );
        expect(out.map((one) => at(one, "metadata", "name")).sort()).toEqual([
            "allow-dns",
            "allow-peers-out",
        ]);
    });

    test("monitoring has no connections out of the cluster unless the stack configures them", async () => {
        for (const name of ["allow-notifications", "allow-remote-write", "allow-gateway-scrapes"]) {
            expect(policy("monitoring", name)).toBeUndefined();
        }
        const webhook = { namespace: "oncall", podLabels: {}, port: 8080 };
        const receivers = [...externalDestinations(443), webhook];
        const notifications = await monitoringPolicy("allow-notifications", { receivers });
        expect(at(notifications, "spec")).toMatchObject({
            podSelector: named("alertmanager"),
            egress: [{ ports: [tcp(443)] }, { ports: [tcp(8080)] }],
        });
        const written = await monitoringPolicy("allow-remote-write", {
            remoteWrite: externalDestinations(9009),
        });
        expect(at(written, "spec", "podSelector")).toEqual(named("prometheus"));
        const scraped = await monitoringPolicy("allow-gateway-scrapes", { gatewayPort: 8081 });
        expect(at(scraped, "spec", "egress", 0)).toEqual({
            to: [namespacePeer("gateways")],
            ports: [tcp(8081)],
        });
    });

    test("the pods that call the API server reach it at the stack's addresses", async () => {
        for (const [name, part] of [
            ["allow-api-server", "prometheus"],
            ["allow-kube-state-api-server", "kube-state-metrics"],
        ] as const) {
            const spec = await monitoringPolicy(name, { apiServerCidrs: ["10.0.0.1/32"] });
            expect(at(spec, "spec", "podSelector")).toEqual(named(part));
            expect(at(spec, "spec", "egress", 0, "to")).toEqual([
                { ipBlock: { cidr: "10.0.0.1/32" } },
            ]);
        }
    });

    test("only the formation Job of a Redis Cluster reads zones from the API server", async () => {
        expect(policy("data", "allow-zones")).toBeUndefined();
        const spec = policy("data", "allow-zones", await build({ redisZones: true }));
        expect(at(spec, "spec", "podSelector")).toEqual(named("redis-cluster-formation"));
        expect(at(spec, "spec", "policyTypes")).toEqual(["Egress"]);
    });

    test("challenges of an ACME issuer get in, and only with one", async () => {
        expect(policy("edge", "allow-acme-solver")).toBeUndefined();
        const solver = policy("edge", "allow-acme-solver", await build({ acmeSolver: true }));
        expect(at(solver, "spec")).toMatchObject({
            podSelector: { matchLabels: { "acme.cert-manager.io/http01-solver": "true" } },
            ingress: [{ ports: [tcp(8089)] }],
        });
    });

    test("a gateway is let in by its pods' labels where these are known", async () => {
        const podLabels = { "app.kubernetes.io/name": "traefik" };
        const from = at(
            policy(
                "blue",
                "allow-gateway",
                await build({ gateway: { ...TRAFFIC.gateway, podLabels } }),
            ),
            ...["spec", "ingress", 0, "from"],
        );
        expect(from).toEqual([
            expect.objectContaining({ podSelector: { matchLabels: podLabels } }),
        ]);
    });
});

describe("proxies that a controller creates for the Gateway", () => {
    const { istio } = GATEWAY_CONTROLLERS;
    const proxies = istio.provisions;
    const { namespace, podLabels, podPort } = istio;
    const gateway = {
        ...{ namespace, podLabels, provisions: proxies, cidrs: [] },
        podPorts: [podPort(80), podPort(443)] as const,
    };
    const quotas = { service: { maxReplicas: 2, resources: RESOURCES }, redis: REDIS };
    let all: Declared;
    beforeAll(async () => {
        const args = {
            quotas: namespaceQuotas({ ...quotas, monitoring: [], proxies }),
            flows: { ...TRAFFIC, gateway },
            proxies,
        };
        all = await declared(() => new Namespaces("n", args));
    });
    const ofEdge = (type: string) =>
        all
            .of(type)
            .map(({ inputs }) => inputs)
            .filter((inputs) => at(inputs, "metadata", "namespace") === "property-search-edge");
    const named = (name: string) =>
        ofEdge(":NetworkPolicy").find((one) => at(one, "metadata", "name") === name);

    test("fit the quota: a load balancer with its ports, and pods while they are replaced", () => {
        const hard = at(ofEdge(":ResourceQuota")[0], "spec", "hard");
        expect(hard).toMatchObject({
            "services.loadbalancers": "1",
            // Istio's Service has 15021 besides HTTP and HTTPS.
            "services.nodeports": "3",
        });
        expect(Number(at(hard, "pods"))).toBeGreaterThanOrEqual(6);
    });

    test("get a limit above what they request, where they name none", () => {
        const limits = at(ofEdge(":LimitRange")[0], "spec", "limits", 0);
        expect(parseBytes(String(at(limits, "default", "memory")))).toBeGreaterThanOrEqual(
            parseBytes("512Mi") ?? NaN,
        );
    });

    test("keep to Pod Security as far as the controller does; what goes further is warned of", () => {
        const labels = at(all.one(":Namespace", "n-edge-namespace").inputs, "metadata", "labels");
        expect(labels).toMatchObject({
            "pod-security.kubernetes.io/enforce": "baseline",
            "pod-security.kubernetes.io/warn": "restricted",
        });
        const blue = at(all.one(":Namespace", "n-blue-namespace").inputs, "metadata", "labels");
        expect(blue).toMatchObject({ "pod-security.kubernetes.io/enforce": "restricted" });
    });

    test("are reachable by all, and connect to the colours, solvers and their control plane", () => {
        expect(at(named("allow-clients"), "spec")).toEqual({
            podSelector: { matchLabels: podLabels },
            policyTypes: ["Ingress"],
            ingress: [{ ports: [80, 443, 15021].map((port) => ({ protocol: "TCP", port })) }],
        });
        expect(at(named("allow-backends"), "spec", "egress", 0, "ports")).toEqual([tcp(8001)]);
        expect(at(named("allow-control-plane"), "spec", "egress", 0)).toMatchObject({
            to: [namespacePeer("istio-system")],
            ports: [tcp(15012)],
        });
    });
});

describe("namespaceQuotas", () => {
    const quotas = namespaceQuotas({
        service: { maxReplicas: 10, resources: RESOURCES },
        redis: REDIS,
        monitoring: MONITORING,
    });

    test("a colour at the autoscaler's limit can replace every pod while the old ones drain", () => {
        expect(quotas.blue).toEqual(quotas.green);
        expect(quotas.blue).toMatchObject({
            pods: "20",
            "requests.cpu": "2",
            "limits.cpu": "40",
            "requests.memory": "7680Mi",
            "limits.memory": "20Gi",
            persistentvolumeclaims: "0",
        });
    });

    test("the data namespace holds Redis with its volumes, and room for jobs", () => {
        expect(Number(quotas.data.pods)).toBeGreaterThan(6);
        expect(quotas.data).toMatchObject({
            persistentvolumeclaims: "6",
            "requests.storage": "60Gi",
        });
    });

    test("the monitoring namespace holds its parts with their volumes, and room for a guest", () => {
        expect(Number(quotas.monitoring.pods)).toBeGreaterThan(3);
        expect(quotas.monitoring).toMatchObject({
            persistentvolumeclaims: "1",
            "requests.storage": "20Gi",
        });
    });

    test("without a Redis of our own there is no room for its volumes", () => {
        const { data } = namespaceQuotas({
            service: { maxReplicas: 2, resources: RESOURCES },
            redis: undefined,
            monitoring: [],
        });
        expect(data.persistentvolumeclaims).toBe("0");
    });

    test("no namespace may open a port of the nodes or a load balancer", () => {
        for (const quota of Object.values(quotas)) {
            expect(quota).toMatchObject({
                "services.nodeports": "0",
                "services.loadbalancers": "0",
            });
        }
    });
});
