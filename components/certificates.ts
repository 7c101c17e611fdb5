import { GATEWAY_NAME, LABELS, PART_OF } from "@property-search/contract";
import * as k8s from "@pulumi/kubernetes";
import * as certManager from "@pulumi/kubernetes-cert-manager";
import * as pulumi from "@pulumi/pulumi";
import { TLS_SECRET_NAME } from "./edge.ts";
import { standardLabels } from "./labels.ts";

const CERT_MANAGER_NAMESPACE = "cert-manager";
const ISSUER_NAME = GATEWAY_NAME;

const ACME_SERVERS = {
    acme: "https://acme-v02.api.letsencrypt.org/directory",
    acmeStaging: "https://acme-staging-v02.api.letsencrypt.org/directory",
} as const;

export interface CertificatesArgs {
    /** Namespace of the Gateway. */
    readonly namespace: pulumi.Input<string>;
    /** The Gateway that serves the certificate and, for ACME, lets the challenge through. */
    readonly gateway: pulumi.Resource;
    readonly hostname: string;
    readonly issuer: "selfSigned" | keyof typeof ACME_SERVERS;
    /** Contact of the ACME account; required unless the issuer is selfSigned. */
    readonly email?: string | undefined;
    /** Version of cert-manager's chart, 1.15 or newer. */
    readonly chartVersion: string;
}

/** cert-manager, an issuer, and the Gateway's certificate, renewed by itself. */
export class Certificates extends pulumi.ComponentResource {
    constructor(name: string, args: CertificatesArgs, opts?: pulumi.ComponentResourceOptions) {
        super("platform:index:Certificates", name, args, opts);
        const child = { parent: this };
        if (args.issuer !== "selfSigned" && args.email === undefined) {
            throw new Error(
                `email is not set; allowed: a mail address, since issuer is ${args.issuer}`,
            );
        }
        const labels = standardLabels({ name: ISSUER_NAME, component: "certificates" });
        const metadata = (called: string) => ({ name: called, namespace: args.namespace, labels });

        const namespace = new k8s.core.v1.Namespace(
            `${name}-namespace`,
            {
                metadata: {
                    name: CERT_MANAGER_NAMESPACE,
                    labels: {
                        [LABELS.partOf]: PART_OF,
                        "pod-security.kubernetes.io/enforce": "restricted",
                        "pod-security.kubernetes.io/enforce-version": "v1.34",
                    },
                },
            },
            child,
        );
        const manager = new certManager.CertManager(
            `${name}-cert-manager`,
            { helmOptions: helmOptions(args.chartVersion, namespace.metadata.name) },
            child,
        );
        const issuer = new k8s.apiextensions.CustomResource(
            `${name}-issuer`,
            {
                apiVersion: "cert-manager.io/v1",
                kind: "Issuer",
                metadata: {
                    ...metadata(ISSUER_NAME),
                    annotations: { "pulumi.com/waitFor": "condition=Ready" },
                },
                spec: issuerSpec(args),
            },
            // The chart brings the kinds and the webhook that checks them.
            { parent: this, dependsOn: [manager] },
        );
        new k8s.apiextensions.CustomResource(
            `${name}-certificate`,
            {
                apiVersion: "cert-manager.io/v1",
                kind: "Certificate",
                metadata: {
                    ...metadata(GATEWAY_NAME),
                    annotations: { "pulumi.com/waitFor": "condition=Ready" },
                },
                spec: {
                    secretName: TLS_SECRET_NAME,
                    dnsNames: [args.hostname],
                    duration: "2160h0m0s",
                    renewBefore: "720h0m0s",
                    privateKey: { algorithm: "ECDSA", size: 256, rotationPolicy: "Always" },
                    usages: ["digital signature", "server auth"],
                    issuerRef: {
                        group: "cert-manager.io",
                        kind: "Issuer",
                        name: issuer.metadata.name,
                    },
                },
            },
            // A challenge comes in through the Gateway, which serves HTTP before it has a certificate.
            { parent: this, dependsOn: [issuer, args.gateway] },
        );
        this.registerOutputs({});
    }
}

/**
 * The chart's own values, since several typed arguments are not in the schema of newer charts, and
 * `crds` replaces the deprecated `installCRDs`. `keep`: deleting the kinds deletes every certificate.
 */
function helmOptions(version: string, namespace: pulumi.Input<string>) {
    const resources = (memory: string) => ({
        requests: { cpu: "10m", memory },
        limits: { cpu: "500m", memory },
    });
    return {
        version,
        namespace,
        createNamespace: false,
        values: {
            crds: { enabled: true, keep: true },
            config: {
                apiVersion: "controller.config.cert-manager.io/v1alpha1",
                kind: "ControllerConfiguration",
                enableGatewayAPI: true,
            },
            resources: resources("128Mi"),
            webhook: { resources: resources("64Mi") },
            cainjector: { resources: resources("192Mi") },
            startupapicheck: { resources: resources("64Mi") },
        },
    };
}

function issuerSpec({ issuer, email, namespace }: CertificatesArgs) {
    if (issuer === "selfSigned") return { selfSigned: {} };
    const parentRef = {
        group: "gateway.networking.k8s.io",
        kind: "Gateway",
        name: GATEWAY_NAME,
        namespace,
        sectionName: "http",
    };
    return {
        acme: {
            server: ACME_SERVERS[issuer],
            email,
            privateKeySecretRef: { name: `${ISSUER_NAME}-account` },
            solvers: [{ http01: { gatewayHTTPRoute: { parentRefs: [parentRef] } } }],
        },
    };
}
