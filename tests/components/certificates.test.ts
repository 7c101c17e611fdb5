import { describe, expect, test } from "@jest/globals";
import * as pulumi from "@pulumi/pulumi";
import { Certificates, type CertificatesArgs } from "../../components/certificates.ts";
import { at, declared, needsOf } from "../support/program.ts";

const build = (change: Partial<CertificatesArgs> = {}) =>
    declared(() => {
        const gateway = new pulumi.ComponentResource("test:index:Gateway", "gateway");
        return new Certificates("certificates", {
            namespace: "edge",
            gateway,
            hostname: "a.example.com",
            issuer: "acmeStaging",
            email: "ops@example.com",
            chartVersion: "v1.19.1",
            ...change,
        });
    });

describe("Certificates", () => {
    test("installs a pinned cert-manager that keeps its kinds and knows Gateways", async () => {
        const options = (await build()).one(":CertManager").inputs.helmOptions;
        expect(options).toMatchObject({
            version: "v1.19.1",
            namespace: "cert-manager",
            values: { crds: { enabled: true, keep: true }, config: { enableGatewayAPI: true } },
        });
        expect((await build()).one(":CertManager").inputs).not.toHaveProperty("installCRDs");
    });

    test("rehearses with the staging server unless the real one is asked for", async () => {
        const server = async (issuer: "acme" | "acmeStaging") =>
            at((await build({ issuer })).one(":Issuer").inputs, "spec", "acme", "server");
        expect(await server("acmeStaging")).toContain("staging");
        expect(await server("acme")).not.toContain("staging");
    });

    test("solves challenges through the Gateway's HTTP listener", async () => {
        const solver = at((await build()).one(":Issuer").inputs, "spec", "acme", "solvers", 0);
        expect(at(solver, "http01", "gatewayHTTPRoute", "parentRefs", 0)).toMatchObject({
            name: "embedding-gateway",
            namespace: "edge",
            sectionName: "http",
        });
    });

    test("signs by itself without any account", async () => {
        const all = await build({ issuer: "selfSigned", email: undefined });
        expect(all.one(":Issuer").inputs.spec).toEqual({ selfSigned: {} });
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

    test("makes no issuer before the chart has brought its kind", async () => {
        const all = await build();
        expect(needsOf(all.one(":Issuer"))).toEqual(["CertManager"]);
    });

    test("refuses an ACME account without a contact", async () => {
        await expect(build({ email: undefined })).rejects.toThrow(/email is not set/);
    });
});
