import { describe, expect, test } from "@jest/globals";
import * as pulumi from "@pulumi/pulumi";
import { Certificates, type CertificatesArgs } from "../../components/certificates.ts";
import { ACME_SERVERS, type AcmeIssuer } from "../../components/certificates/issuer.ts";
import type { Placement } from "../../components/placement.ts";
import { at, declared, needsOf } from "../support/program.ts";

const ACME: AcmeIssuer = {
    type: "acme",
    server: ACME_SERVERS.acmeStaging,
    email: "ops@example.com",
    caBundle: undefined,
    account: undefined,
    challenge: { type: "http01" },
};
const INSTALL = {
    chart: "oci://charts.example/cert-manager",
    chartVersion: "v1.19.5",
    imageRegistry: "mirror.example/jetstack",
};
/** Sets nothing. */
const ANYWHERE: Placement = {
    pullSecrets: [],
    registryCredentials: undefined,
    nodeSelector: {},
    tolerations: [],
    priorityClassName: undefined,
    fixedIds: true,
    labels: {},
};
const WHERE = {
    nodeSelector: { pool: "search" },
    tolerations: [{ key: "dedicated", operator: "Exists", effect: "NoSchedule" }],
};
const PLACEMENT: Placement = {
    ...WHERE,
    pullSecrets: ["mirror"],
    registryCredentials: pulumi.secret('{"auths":{}}'),
    priorityClassName: "platform",
    fixedIds: true,
    labels: { team: "search" },
};
const PULLED_WITH = [{ name: "mirror" }, { name: "registry-credentials" }];

const build = (change: Partial<CertificatesArgs> = {}) =>
    declared(() => {
        const gateway = new pulumi.ComponentResource("test:index:Gateway", "gateway");
        return new Certificates("certificates", {
            namespace: "edge",
            gateway,
            hostname: "a.example.com",
            issuer: ACME,
            placement: ANYWHERE,
            ...change,
        });
    });

const issuerOf = async (issuer: Partial<AcmeIssuer>, placement = ANYWHERE) => {
    const all = await build({ issuer: { ...ACME, ...issuer }, placement });
    return at(all.one(":Issuer").inputs, "spec", "acme");
};

describe("Certificates", () => {
    test("solves challenges through the Gateway's HTTP listener, without a port of the nodes", async () => {
        const solver = at(await issuerOf({}), "solvers", 0, "http01", "gatewayHTTPRoute");
        expect(solver).toEqual({
            serviceType: "ClusterIP",
            parentRefs: [
                {
                    group: "gateway.networking.k8s.io",
                    kind: "Gateway",
                    name: "embedding-gateway",
                    namespace: "edge",
                    sectionName: "http",
                },
            ],
        });
    });

    test("gives pods that solve challenges the placement of all others", async () => {
        const acme = await issuerOf({}, PLACEMENT);
        expect(at(acme, "solvers", 0, "http01", "gatewayHTTPRoute", "podTemplate")).toEqual({
            metadata: { labels: { team: "search" } },
            spec: { ...WHERE, imagePullSecrets: PULLED_WITH, priorityClassName: "platform" },
        });
    });

    test("uses another ACME server with the configured CA and account", async () => {
        const caBundle = "-----BEGIN CERTIFICATE-----";
        const account = { keyId: "kid-1", key: pulumi.secret("secret-key") };
        const all = await build({
            issuer: { ...ACME, server: "https://acme.example/dir", caBundle, account },
        });
        expect(at(all.one(":Issuer").inputs, "spec", "acme")).toMatchObject({
            server: "https://acme.example/dir",
            caBundle: Buffer.from(caBundle).toString("base64"),
            externalAccountBinding: {
                keyID: "kid-1",
                keySecretRef: { name: "embedding-gateway-acme", key: "key" },
            },
        });
        expect(all.one(":Secret").inputs.metadata).toMatchObject({
            name: "embedding-gateway-acme",
            namespace: "edge",
        });
        expect(needsOf(all.one(":Issuer"))).toContain("Secret");
    });

    test("solves by DNS with the provider that the config gives, and its secret in a Secret", async () => {
        const secretRef = { name: "embedding-gateway-dns01", key: "secret" };
        const solver = { cloudflare: { apiTokenSecretRef: secretRef } };
        const all = await build({
            issuer: { ...ACME, challenge: { type: "dns01", solver, secret: pulumi.secret("t") } },
        });
        expect(at(all.one(":Issuer").inputs, "spec", "acme", "solvers")).toEqual([
            { dns01: solver },
        ]);
        expect(all.one(":Secret").inputs.metadata).toMatchObject({ name: secretRef.name });
    });

    test("signs without any account", async () => {
        const all = await build({ issuer: { type: "selfSigned" } });
        expect(all.one(":Issuer").inputs.spec).toEqual({ selfSigned: {} });
    });

    test("uses an existing issuer as it is", async () => {
        const group = "awspca.cert-manager.io";
        const issuer = {
            type: "existing",
            name: "corp",
            kind: "AWSPCAClusterIssuer",
            group,
        } as const;
        const all = await build({ issuer });
        expect(all.of(":Issuer")).toEqual([]);
        expect(at(all.one(":Certificate").inputs, "spec", "issuerRef")).toEqual({
            group,
            kind: "AWSPCAClusterIssuer",
            name: "corp",
        });
    });

    test("writes the certificate where the Gateway looks for it, and waits for it", async () => {
        const { inputs, options } = (await build()).one(":Certificate");
        expect(inputs).toMatchObject({
            metadata: {
                namespace: "edge",
                annotations: { "pulumi.com/waitFor": "condition=Ready" },
            },
            spec: { secretName: "embedding-gateway-tls", dnsNames: ["a.example.com"] },
        });
        expect(options.dependsOn).toHaveLength(2);
    });
});

describe("a cert-manager", () => {
    test("of the cluster is left alone: neither a namespace nor a chart is declared", async () => {
        const all = await build();
        expect(all.of(":Namespace")).toEqual([]);
        expect(all.of(":CertManager")).toEqual([]);
    });

    test("of the stack's own has a namespace of its own, with the rules of all others", async () => {
        const policies = {
            "default-deny": { podSelector: {}, policyTypes: ["Ingress", "Egress"] },
        };
        const all = await build({ install: INSTALL, policies });
        const namespace = all.one(":Namespace").inputs;
        expect(namespace.metadata).toMatchObject({
            name: "property-search-certificates",
            labels: { "pod-security.kubernetes.io/enforce": "restricted" },
        });
        for (const kind of [":ResourceQuota", ":LimitRange", ":NetworkPolicy"]) {
            expect(at(all.one(kind).inputs, "metadata", "namespace")).toBe(
                "property-search-certificates",
            );
        }
    });

    test("comes from a pinned chart that keeps its kinds, knows Gateways and leaves kube-system alone", async () => {
        const options = (await build({ install: INSTALL })).one(
            "kubernetes-cert-manager:index:CertManager",
        ).inputs.helmOptions;
        expect(options).toMatchObject({
            name: "cert-manager",
            chart: INSTALL.chart,
            version: INSTALL.chartVersion,
            namespace: "property-search-certificates",
            values: {
                crds: { enabled: true, keep: true },
                config: { enableGatewayAPI: true },
                global: { leaderElection: { namespace: "property-search-certificates" } },
                image: { repository: "mirror.example/jetstack/cert-manager-controller" },
                acmesolver: {
                    image: { repository: "mirror.example/jetstack/cert-manager-acmesolver" },
                },
            },
        });
    });

    test("has the placement of all other workloads, and the registry's credentials", async () => {
        const all = await build({ install: INSTALL, placement: PLACEMENT });
        const { values } = all.one("kubernetes-cert-manager:index:CertManager").inputs
            .helmOptions as { values: object };
        expect(values).toMatchObject({
            global: {
                imagePullSecrets: PULLED_WITH,
                priorityClassName: "platform",
                commonLabels: { team: "search", "app.kubernetes.io/part-of": "property-search" },
            },
            ...WHERE,
            webhook: WHERE,
            cainjector: WHERE,
            startupapicheck: WHERE,
        });
        expect(all.one(":Secret").inputs.metadata).toMatchObject({
            name: "registry-credentials",
            namespace: "property-search-certificates",
        });
    });

    test("is ready before an issuer, which its webhook validates", async () => {
        const all = await build({ install: INSTALL });
        expect(needsOf(all.one(":Issuer"))).toContain("CertManager");
        expect(needsOf(all.one(":Certificate"))).toContain("CertManager");
    });

    test("gets all its pods through its quota while each part is replaced", async () => {
        const all = await build({ install: INSTALL });
        expect(at(all.one(":ResourceQuota").inputs, "spec", "hard")).toMatchObject({ pods: "10" });
    });
});
