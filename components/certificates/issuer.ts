import { GATEWAY_NAME } from "@property-search/contract";
import type * as pulumi from "@pulumi/pulumi";
import { podPlacement, type Placement } from "../placement.ts";

export const ACME_SERVERS = {
    acme: "https://acme-v02.api.letsencrypt.org/directory",
    acmeStaging: "https://acme-staging-v02.api.letsencrypt.org/directory",
} as const;

/** Secret with the credentials of a DNS-01 solver, in the Gateway's namespace. */
export const DNS01_SECRET = { name: `${GATEWAY_NAME}-dns01`, key: "secret" } as const;
/** Secret with the key of an external account of the ACME server. */
export const ACCOUNT_SECRET = { name: `${GATEWAY_NAME}-acme`, key: "key" } as const;

/** An issuer that gets certificates from an ACME server. */
export interface AcmeIssuer {
    /** An Issuer of the stack for an ACME server. */
    readonly type: "acme";
    /** URL of the server's directory. */
    readonly server: string;
    /** Contact of the account, such as for Let's Encrypt. */
    readonly email: string | undefined;
    /** PEM of the authorities that sign the server's certificate. Undefined: the public ones. */
    readonly caBundle: string | undefined;
    /** External account binding. Undefined: none. */
    readonly account: { readonly keyId: string; readonly key: pulumi.Output<string> } | undefined;
    /** Challenge by which the server validates the host name. */
    readonly challenge:
        | { readonly type: "http01" }
        | {
              readonly type: "dns01";
              /** One provider with its settings, in the form of cert-manager. */
              readonly solver: Readonly<Record<string, unknown>>;
              /** Value of DNS01_SECRET. Undefined: the solver names existing Secrets, or none. */
              readonly secret: pulumi.Output<string> | undefined;
          };
}

/** Issuer of certificates. */
export type IssuerSettings =
    | {
          /** An Issuer of the stack that signs the certificate with its own key. */
          readonly type: "selfSigned";
      }
    | AcmeIssuer
    | {
          /** An issuer that exists already. */
          readonly type: "existing";
          /** Name of the issuer. */
          readonly name: string;
          /** Kind of the issuer, such as ClusterIssuer. */
          readonly kind: string;
          /** API group of the issuer, such as cert-manager.io. */
          readonly group: string;
      };

/** Spec of the stack's own Issuer. */
export function issuerSpec(
    issuer: Exclude<IssuerSettings, { type: "existing" }>,
    namespace: pulumi.Input<string>,
    placement: Placement,
): Record<string, unknown> {
    if (issuer.type === "selfSigned") return { selfSigned: {} };
    const { server, email, caBundle, account, challenge } = issuer;
    return {
        acme: {
            server,
            ...(email !== undefined && { email }),
            ...(caBundle !== undefined && { caBundle: Buffer.from(caBundle).toString("base64") }),
            ...(account && {
                externalAccountBinding: {
                    keyID: account.keyId,
                    keySecretRef: { name: ACCOUNT_SECRET.name, key: ACCOUNT_SECRET.key },
                },
            }),
            privateKeySecretRef: { name: `${GATEWAY_NAME}-account` },
            solvers: [
                challenge.type === "dns01"
                    ? { dns01: challenge.solver }
                    : { http01: { gatewayHTTPRoute: gatewaySolver(namespace, placement) } },
            ],
        },
    };
}

/**
 * Solver of challenges, by the listener for HTTP. Its route matches the path exactly, and so takes precedence over the
 * redirect, which matches every path.
 */
function gatewaySolver(namespace: pulumi.Input<string>, placement: Placement) {
    const { labels } = placement;
    const spec = podPlacement(placement);
    const podTemplate = {
        ...(Object.keys(labels).length > 0 && { metadata: { labels } }),
        ...(Object.keys(spec).length > 0 && { spec }),
    };
    return {
        // cert-manager creates the pods.
        ...(Object.keys(podTemplate).length > 0 && { podTemplate }),
        // The default, NodePort, opens a port on each node, which the Gateway does not need.
        serviceType: "ClusterIP",
        parentRefs: [
            {
                group: "gateway.networking.k8s.io",
                kind: "Gateway",
                name: GATEWAY_NAME,
                namespace,
                sectionName: "http",
            },
        ],
    };
}
