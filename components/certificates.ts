import { GATEWAY_NAME } from "@property-search/contract";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { CertManager, type CertManagerInstall } from "./certificates/certManager.ts";
import {
    ACCOUNT_SECRET,
    DNS01_SECRET,
    issuerSpec,
    type IssuerSettings,
} from "./certificates/issuer.ts";
import { TLS_SECRET_NAME } from "./edge.ts";
import { standardLabels } from "./labels.ts";
import type { EntitySpec } from "./networkPolicies/entities.ts";
import type { PolicySpec } from "./networkPolicies/policies.ts";
import type { Placement } from "./placement.ts";

const GROUP = "cert-manager.io";
const ISSUER_NAME = GATEWAY_NAME;

/** Arguments of `Certificates`. */
export interface CertificatesArgs {
    /** Namespace of the Gateway. */
    readonly namespace: pulumi.Input<string>;
    /** The Gateway that serves the certificate and, for HTTP-01, the challenge. */
    readonly gateway: pulumi.Resource;
    /** Host name of the certificate. */
    readonly hostname: string;
    /** Issuer of the certificate. */
    readonly issuer: IssuerSettings;
    /**
     * Chart of the stack's own cert-manager.
     * @default none: the cluster has a cert-manager
     */
    readonly install?: CertManagerInstall | undefined;
    /**
     * Network policies of that cert-manager's namespace, by name.
     * @default none
     */
    readonly policies?: Readonly<Record<string, PolicySpec>>;
    /**
     * CiliumNetworkPolicies of that namespace, by name.
     * @default none
     */
    readonly entityPolicies?: Readonly<Record<string, EntitySpec>>;
    /** Placement of the pods that cert-manager creates. */
    readonly placement: Placement;
}

/** The Gateway's certificate, which cert-manager renews, and its issuer unless that exists already. */
export class Certificates extends pulumi.ComponentResource {
    constructor(name: string, args: CertificatesArgs, opts?: pulumi.ComponentResourceOptions) {
        super("property-search:index:Certificates", name, args, opts);
        const { install, policies = {}, entityPolicies = {}, placement } = args;
        const manager =
            install &&
            new CertManager(
                `${name}-cert-manager`,
                { ...install, policies, entityPolicies, placement },
                { parent: this },
            );
        // The chart installs the custom resources and the webhook that validates them.
        const afterManager = { parent: this, dependsOn: manager ? [manager] : [] };
        const issuer = this.#issuer(name, args, afterManager);
        new k8s.apiextensions.CustomResource(
            `${name}-certificate`,
            {
                apiVersion: `${GROUP}/v1`,
                kind: "Certificate",
                metadata: metadataOf(GATEWAY_NAME, args.namespace),
                spec: {
                    secretName: TLS_SECRET_NAME,
                    dnsNames: [args.hostname],
                    duration: "2160h0m0s",
                    renewBefore: "720h0m0s",
                    privateKey: { algorithm: "ECDSA", size: 256, rotationPolicy: "Always" },
                    usages: ["digital signature", "server auth"],
                    issuerRef: issuer.reference,
                },
            },
            // The Gateway serves the challenge over HTTP before it has a certificate.
            {
                parent: this,
                dependsOn: [...issuer.needed, ...afterManager.dependsOn, args.gateway],
            },
        );
        this.registerOutputs({});
    }

    #issuer(name: string, args: CertificatesArgs, options: pulumi.CustomResourceOptions) {
        const { issuer, namespace, placement } = args;
        if (issuer.type === "existing") {
            const { group, kind, name: issuerName } = issuer;
            return { reference: { group, kind, name: issuerName }, needed: [] };
        }
        const secrets = secretsOf(issuer).map(
            ({ role, secret, value }) =>
                new k8s.core.v1.Secret(
                    `${name}-${role}`,
                    {
                        metadata: {
                            name: secret.name,
                            namespace,
                            labels: labelsOf(secret.name),
                        },
                        stringData: { [secret.key]: value },
                    },
                    { parent: this },
                ),
        );
        const resource = new k8s.apiextensions.CustomResource(
            `${name}-issuer`,
            {
                apiVersion: `${GROUP}/v1`,
                kind: "Issuer",
                metadata: metadataOf(ISSUER_NAME, namespace),
                spec: issuerSpec(issuer, namespace, placement),
            },
            { ...options, dependsOn: [...secrets, ...[options.dependsOn ?? []].flat()] as never },
        );
        const reference = { group: GROUP, kind: "Issuer", name: resource.metadata.name };
        return { reference, needed: [resource] };
    }
}

/** Secrets that an issuer reads, in the Gateway's namespace. */
function secretsOf(issuer: IssuerSettings) {
    if (issuer.type !== "acme") return [];
    const { account, challenge } = issuer;
    const solver = challenge.type === "dns01" ? challenge.secret : undefined;
    return [
        { role: "account", secret: ACCOUNT_SECRET, value: account?.key },
        { role: "solver", secret: DNS01_SECRET, value: solver },
    ].flatMap(({ value, ...one }) => (value === undefined ? [] : [{ ...one, value }]));
}

/** Pulumi waits until the object is ready. */
function metadataOf(name: string, namespace: pulumi.Input<string>) {
    const annotations = { "pulumi.com/waitFor": "condition=Ready" };
    return { name, namespace, labels: labelsOf(name), annotations };
}

function labelsOf(name: string): Record<string, string> {
    return standardLabels({ name, component: "certificates" });
}
