import { describe, expect, test } from "@jest/globals";
import { certManagerConnections, allowedConnections } from "../../config/traffic.ts";
import { loadStack } from "../support/loadStack.ts";

const edgeOf = (change: Record<string, string> = {}) => loadStack(change).edge;

describe("a gateway's default installation", () => {
    test.each([
        ["traefik", ["traefik", "traefik", 8000, 8443, 80, 443], [8000, 8443], "traefik"],
        [
            "envoy-gateway",
            ["eg", "envoy-gateway-system", 80, 443, 80, 443],
            [10080, 10443],
            "envoy-gateway",
        ],
        ["istio", ["istio", "property-search-edge", 80, 443, 80, 443], [80, 443], undefined],
        ["cilium", ["cilium", "kube-system", 80, 443, 80, 443], [80, 443], undefined],
        ["nginx", ["nginx", "property-search-edge", 80, 443, 80, 443], [80, 443], undefined],
    ])("%s is known: class, namespace, ports and pods'", (controller, known, podPorts, filter) => {
        const edge = edgeOf({ "edge.controller": controller });
        const { gatewayClassName, proxies, httpPort, httpsPort } = edge;
        expect([
            gatewayClassName,
            proxies.namespace,
            httpPort,
            httpsPort,
            edge.publicHttpPort,
            edge.publicHttpsPort,
        ]).toEqual(known);
        expect(proxies.podPorts).toEqual(podPorts);
        expect(edge.retries?.filter).toBe(filter);
    });

    test("may differ in single keys; a listener port of one's own is public as it is", () => {
        const edge = edgeOf({
            "edge.gatewayClassName": "internal",
            "edge.controllerNamespace": "gateways",
            "edge.httpPort": "8080",
            "edge.publicHttpsPort": "8444",
        });
        expect(edge).toMatchObject({ gatewayClassName: "internal", publicHttpPort: 8080 });
        expect([edge.httpsPort, edge.publicHttpsPort]).toEqual([8443, 8444]);
        // Another namespace is another installation, of whose labels nothing is known.
        expect(edge.proxies).toMatchObject({ namespace: "gateways", podLabels: {} });
    });

    test("of which nothing is known is described by the config", () => {
        const edge = edgeOf({
            "edge.controller": "custom",
            "edge.gatewayClassName": "kgateway",
            "edge.controllerNamespace": "property-search-edge",
            "edge.controlPlane": "kgateway-system:9977",
            "example.enabled": "false",
        });
        expect(edge).toMatchObject({ httpPort: 80, publicHttpsPort: 443, retries: undefined });
        expect(edge.proxies).toMatchObject({
            podLabels: { "gateway.networking.k8s.io/gateway-name": "embedding-gateway" },
            provisions: { controlPlane: { namespace: "kgateway-system", port: 9977 } },
        });
    });

    test.each([
        [{ "edge.httpPort": "8443" }, /edge\.httpsPort is 8443; allowed: another/],
        [
            { "edge.httpsPort": "80" },
            /edge\.publicHttpsPort is 80; allowed: another than edge\.pub/,
        ],
        [
            { "edge.publicHttpPort": "443" },
            /edge\.publicHttpsPort is 443; .* they follow edge\.http/,
        ],
    ])("rejects the same port for HTTP and HTTPS: %j", (change, words) => {
        const https = {
            "certificates.enabled": "true",
            "certificates.issuer": "selfSigned",
            "edge.hostname": "embeddings.example.com",
        };
        expect(() => edgeOf({ ...https })).not.toThrow();
        expect(() => edgeOf({ ...https, ...change })).toThrow(words);
        expect(() => edgeOf(change)).not.toThrow();
    });

    test("takes labels as they are written", () => {
        const { proxies } = edgeOf({ "edge.controllerPodLabels": "app=edge,a.b/c=d" });
        expect(proxies.podLabels).toEqual({ app: "edge", "a.b/c": "d" });
    });
});

const ON = { "certificates.enabled": "true", "edge.hostname": "a.example.com" };
const ACME = { ...ON, "certificates.issuer": "acme", "certificates.email": "ops@example.com" };
const DNS01 = {
    ...ACME,
    "certificates.challenge": "dns01",
    "certificates.dns01": JSON.stringify({
        cloudflare: { apiTokenSecretRef: { name: "embedding-gateway-dns01", key: "secret" } },
    }),
    "certificates.dns01Secret": "token",
};
const EXISTING = {
    ...ON,
    "certificates.certManager": "existing",
    "certificates.issuer": "existing",
    "certificates.issuerName": "corp",
};

describe("certificates", () => {
    test("come from a Secret, from the cluster's cert-manager, or from one of the stack's own", () => {
        const secret = {
            "certificates.secretName": "tls",
            "certificates.secretNamespace": "certs",
        };
        expect(loadStack({ ...ON, ...secret }).certificates).toMatchObject({
            secret: { name: "tls", namespace: "certs" },
            install: undefined,
        });
        expect(loadStack(EXISTING).certificates).toMatchObject({
            issuer: { type: "existing", name: "corp", kind: "ClusterIssuer" },
            install: undefined,
        });
        expect(loadStack(ACME).certificates?.install).toMatchObject({
            imageRegistry: "quay.io/jetstack",
        });
    });

    test("of another ACME server need no contact", () => {
        const own = { "certificates.acmeServer": "https://acme.example:14000/dir" };
        const config = loadStack({ ...ON, ...own, "certificates.issuer": "acme" });
        expect(config.certificates?.issuer).toMatchObject({
            server: "https://acme.example:14000/dir",
            email: undefined,
        });
        expect(certManagerConnections(config)).toMatchObject({
            acme: [{ port: 14000 }, { port: 14000 }],
            challenge: "http01",
        });
    });

    test("let a solver in where the challenge may come through the Gateway", () => {
        expect(allowedConnections(loadStack(ACME)).acmeSolver).toBe(true);
        expect(allowedConnections(loadStack(EXISTING)).acmeSolver).toBe(true);
        expect(allowedConnections(loadStack(DNS01)).acmeSolver).toBe(false);
        expect(
            allowedConnections(loadStack({ ...ON, "certificates.secretName": "tls" })).acmeSolver,
        ).toBe(false);
    });

    test.each([
        ["no object", '"cloudflare"', /is "cloudflare"; allowed: an object such as/],
        ["nothing", "", /is not set; allowed: an object such as .*since certificates\.challenge/],
        ["an unknown provider", '{"godaddy":{}}', /has "godaddy"; allowed: acmeDNS, akamai/],
        ["two providers", '{"route53":{},"rfc2136":{}}', /2 providers; allowed: exactly one/],
        [
            "a Secret without a name",
            '{"cloudflare":{"apiTokenSecretRef":"token"}}',
            /cloudflare\.apiTokenSecretRef "token"; allowed/,
        ],
        [
            "a field of another place in a reference",
            '{"digitalocean":{"tokenSecretRef":{"name":"a","key":"b","namespace":"c"}}}',
            /has digitalocean\.tokenSecretRef .*"namespace":"c"}; allowed: {"name": a Secret, "key"/,
        ],
        [
            "a mistyped field, which the API server would drop",
            '{"route53":{"region":"eu-central-1","hostedZoneId":"Z1"}}',
            /has route53\.hostedZoneId; allowed in route53: region, hostedZoneID, .*did you mean hostedZoneID\?/,
        ],
        [
            "an unknown field further in",
            '{"azureDNS":{"subscriptionID":"s","resourceGroupName":"g","managedIdentity":{"id":"i"}}}',
            /has azureDNS\.managedIdentity\.id; allowed in azureDNS\.managedIdentity: clientID, resourceID, tenantID/,
        ],
        [
            "a field of another type",
            '{"route53":{"region":7,"auth":"pod"}}',
            /has route53\.region 7; allowed: a text[^]*has route53\.auth "pod"; allowed: an object/,
        ],
        [
            "a value that the field does not have",
            '{"rfc2136":{"nameserver":"10.0.0.1","protocol":"tcp"}}',
            /has rfc2136\.protocol "tcp"; allowed: TCP, UDP/,
        ],
    ])("reject a DNS-01 solver with %s", (_, solver, message) => {
        const change = { ...DNS01, "certificates.dns01": solver, "certificates.dns01Secret": "" };
        expect(() => loadStack(change)).toThrow(message);
    });

    test.each([
        '{"webhook":{"groupName":"acme.example.com","solverName":"own","config":{"any":[1]}}}',
        '{"route53":{"auth":{"kubernetes":{"serviceAccountRef":{"name":"a","audiences":["b"]}}}}}',
    ])("take the solver %s", (solver) => {
        const change = { ...DNS01, "certificates.dns01": solver, "certificates.dns01Secret": "" };
        expect(loadStack(change).certificates?.issuer).toMatchObject({
            challenge: { solver: JSON.parse(solver) as unknown },
        });
    });

    test.each([
        ['{"route53":{"region":"a"}}', "route53 without credentials; allowed: with accessKeyID or"],
        ['{"cloudDNS":{"project":"a"}}', "cloudDNS without credentials; allowed: with serviceAcc"],
        [
            '{"azureDNS":{"subscriptionID":"a","resourceGroupName":"b","managedIdentity":{}}}',
            "azureDNS without credentials; allowed: with clientID",
        ],
    ])(
        "want the login that %s lacks, unless the cluster's cert-manager has one",
        (solver, words) => {
            const change = {
                ...DNS01,
                "certificates.dns01": solver,
                "certificates.dns01Secret": "",
            };
            expect(() => loadStack({ ...change, "certificates.certManager": "install" })).toThrow(
                words,
            );
            expect(() =>
                loadStack({ ...change, "certificates.certManager": "existing" }),
            ).not.toThrow();
        },
    );

    test("ask for the secret that the solver names, and for none that it does not", () => {
        expect(loadStack(DNS01).certificates?.issuer).toMatchObject({
            challenge: { type: "dns01" },
        });
        expect(() => loadStack({ ...DNS01, "certificates.dns01Secret": "" })).toThrow(
            /dns01Secret is not set; .*names embedding-gateway-dns01/,
        );
        expect(() => loadStack({ ...DNS01, "certificates.dns01": '{"route53":{}}' })).toThrow(
            /dns01Secret is set, and nothing reads it/,
        );
    });

    test.each([
        [
            { "certificates.issuerName": "corp" },
            /issuerName is set, and has no effect.*not existing/,
        ],
        [
            { "certificates.secretNamespace": "certs" },
            /secretNamespace is set.*certificates\.secretName is not set/,
        ],
        [{ "certificates.acmeKey": "key" }, /acmeKey is set, .*acmeKeyId is not set/],
        [{ "certificates.dns01": "{}" }, /dns01 is set.*certificates\.challenge is http01/],
        [
            {
                "certificates.secretName": "tls",
                "certificates.acmeServer": "https://acme.example/dir",
            },
            /acmeServer is set, .*certificates\.secretName is "tls"/,
        ],
    ])("reject keys without effect: %j", (change, message) => {
        expect(() => loadStack({ ...ACME, ...change })).toThrow(message);
    });
});
