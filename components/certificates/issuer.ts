import { GATEWAY_NAME } from "@property-search/contract";
import type * as pulumi from "@pulumi/pulumi";
import { podPlacement, type Placement } from "../placement.ts";

export const ACME_SERVERS = {
    acme: "https://acme-v02.api.letsencrypt.org/directory",
    acmeStaging: "https://acme-staging-v02.api.letsencrypt.org/directory",
} as const;

/** Secret with what a DNS-01 solver needs, in the Gateway's namespace. */
export const DNS01_SECRET = { name: `${GATEWAY_NAME}-dns01`, key: "secret" } as const;
/** Secret with the key of an external account at the ACME server. */
export const ACCOUNT_SECRET = { name: `${GATEWAY_NAME}-acme`, key: "key" } as const;

export interface AcmeIssuer {
    readonly type: "acme";
    /** URL of the server's directory. */
    readonly server: string;
    /** Contact of the account; Let's Encrypt asks for one. */
    readonly email: string | undefined;
    /** PEM of the authorities that sign the server's own certificate; undefined: the public ones. */
    readonly caBundle: string | undefined;
    /** External account binding; undefined: none. */
    readonly account: { readonly keyId: string; readonly key: pulumi.Output<string> } | undefined;
    readonly challenge:
        | { readonly type: "http01" }
        | {
              readonly type: "dns01";
              /** One provider with its settings, as cert-manager has them. */
              readonly solver: Readonly<Record<string, unknown>>;
              /** Value of DNS01_SECRET; undefined: the solver names Secrets of others, or none. */
              readonly secret: pulumi.Output<string> | undefined;
          };
}

export type IssuerSettings =
    | { readonly type: "selfSigned" }
    | AcmeIssuer
    | {
          readonly type: "existing";
          readonly name: string;
          readonly kind: string;
          readonly group: string;
      };

/** Spec of an Issuer of our own. */
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
 * A challenge comes in by the listener for HTTP. Its route names the path exactly and so goes before the
 * redirect, which takes every path.
 */
function gatewaySolver(namespace: pulumi.Input<string>, placement: Placement) {
    const { labels } = placement;
    const spec = podPlacement(placement);
    const podTemplate = {
        ...(Object.keys(labels).length > 0 && { metadata: { labels } }),
        ...(Object.keys(spec).length > 0 && { spec }),
    };
    return {
        // Its pods are cert-manager's to make.
        ...(Object.keys(podTemplate).length > 0 && { podTemplate }),
        // The default, NodePort, opens a port on each node; the Gateway needs none.
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
