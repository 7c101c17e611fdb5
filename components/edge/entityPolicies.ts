import { COLOURS, PORTS } from "@property-search/contract";
import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import type { EdgeArgs } from "../edge.ts";
import { standardLabels } from "../labels.ts";

/**
 * Cilium's own gateway is no pod: its connections come from the entity `ingress`, which no NetworkPolicy can
 * name, and a namespace that denies everything refuses them.
 *
 * @see https://docs.cilium.io/en/stable/network/servicemesh/ingress-and-network-policy/
 */
export function entityPolicies(
    name: string,
    { backends, proxies }: EdgeArgs,
    child: pulumi.CustomResourceOptions,
): pulumi.Resource[] {
    const entity = proxies?.entity;
    if (entity === undefined) return [];
    return COLOURS.map(
        (colour) =>
            new k8s.apiextensions.CustomResource(
                `${name}-entity-${colour}`,
                {
                    apiVersion: "cilium.io/v2",
                    kind: "CiliumNetworkPolicy",
                    metadata: {
                        name: "allow-gateway",
                        namespace: backends[colour].namespace,
                        labels: standardLabels({
                            name: "allow-gateway",
                            component: "edge",
                            colour,
                        }),
                    },
                    spec: {
                        endpointSelector: {},
                        ingress: [
                            {
                                fromEntities: [entity],
                                toPorts: [
                                    { ports: [{ port: `${PORTS.service}`, protocol: "TCP" }] },
                                ],
                            },
                        ],
                    },
                },
                child,
            ),
    );
}
