import { GATEWAY_NAME, NAMESPACES } from "@property-search/contract";
import * as k8s from "@pulumi/kubernetes";
import { CertManager } from "@pulumi/kubernetes-cert-manager";
import * as pulumi from "@pulumi/pulumi";
import type { CertificatesConfig } from "../config.ts";
import { standardLabels } from "./labels.ts";

export interface CertificatesArgs {
    readonly certificates: CertificatesConfig;
    /** Host name that the certificate is for. */
    readonly hostname: string;
    /** cert-manager's own namespace. Default: cert-manager. */
    readonly namespace?: string;
}

const API = "cert-manager.io/v1";
const ACME_SERVERS = {
    acmeStaging: "https://acme-staging-v02.api.letsencrypt.org/directory",
    acme: "https://acme-v02.api.letsencrypt.org/directory",
};
const LABELS = standardLabels({ name: "certificates", component: "edge" });
const NAME = "embedding-service";

/**
 * cert-manager, an issuer and the certificate of the Gateway. The only file that knows where the chart
 * comes from.
 */
export class Certificates extends pulumi.ComponentResource {
    /** Secret in the edge's namespace that holds the certificate. */
    public readonly secretName: string;

    constructor(name: string, args: CertificatesArgs, opts?: pulumi.ComponentResourceOptions) {
        super("platform:index:Certificates", name, args, opts);
        const { certificates, hostname, namespace = "cert-manager" } = args;
        this.secretName = `${NAME}-tls`;
        const manager = new CertManager(
            `${name}-manager`,
            {
                helmOptions: {
                    // The chart's own names for its objects start with the release's.
                    name: "cert-manager",
                    namespace,
                    createNamespace: true,
                    version: certificates.chartVersion,
                    values: {
                        // Kept on removal: deleting the definitions deletes every certificate there is.
                        crds: { enabled: true, keep: true },
                        config: {
                            apiVersion: "controller.config.cert-manager.io/v1alpha1",
                            kind: "ControllerConfiguration",
                            enableGatewayAPI: true,
                        },
                    },
                },
            },
            { parent: this },
        );
        const metadata = { name: NAME, namespace: NAMESPACES.edge, labels: LABELS };
        const issuer = new k8s.apiextensions.CustomResource(
            `${name}-issuer`,
            { apiVersion: API, kind: "Issuer", metadata, spec: issuerSpec(certificates) },
            { parent: this, dependsOn: [manager] },
        );
        new k8s.apiextensions.CustomResource(
            `${name}-certificate`,
            {
                apiVersion: API,
                kind: "Certificate",
                // Not waited for: an ACME challenge is answered through the Gateway, which comes after this.
                metadata,
                spec: {
                    secretName: this.secretName,
                    dnsNames: [hostname],
                    duration: "2160h",
                    renewBefore: "720h",
                    privateKey: { algorithm: "ECDSA", size: 256, rotationPolicy: "Always" },
                    issuerRef: { group: "cert-manager.io", kind: "Issuer", name: NAME },
                },
            },
            { parent: this, dependsOn: [issuer] },
        );
        this.registerOutputs({ secretName: this.secretName });
    }
}

function issuerSpec({ issuer, email }: CertificatesConfig) {
    if (issuer === "selfSigned") return { selfSigned: {} };
    const parentRef = {
        group: "gateway.networking.k8s.io",
        kind: "Gateway",
        name: GATEWAY_NAME,
        namespace: NAMESPACES.edge,
        sectionName: "http",
    };
    return {
        acme: {
            server: ACME_SERVERS[issuer],
            email,
            privateKeySecretRef: { name: `${NAME}-acme-account` },
            solvers: [{ http01: { gatewayHTTPRoute: { parentRefs: [parentRef] } } }],
        },
    };
}
