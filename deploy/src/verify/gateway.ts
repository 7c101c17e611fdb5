import type { KubernetesObject } from "@kubernetes/client-node";
import { GATEWAY_NAME, NAMESPACES, type Weights } from "@property-search/contract";
import { ClusterError, keyOf, readIfExists, type Cluster } from "../apply/cluster.ts";
import { routeWeights } from "../release/route.ts";
import { ROUTE } from "../release/shared.ts";

interface Gateway extends KubernetesObject {
    spec?: { listeners?: { port: number; protocol: string; hostname?: string }[] };
    status?: { addresses?: { value: string }[] };
}

/**
 * Base URL of the stack's Gateway, without a slash at the end: GATEWAY_URL if set, else the address in
 * its status with the port of its safest listener.
 */
export async function gatewayUrl(cluster: Cluster): Promise<string> {
    const given = process.env.GATEWAY_URL;
    if (given) return given.replace(/\/+$/, "");
    const gateway = await readIfExists<Gateway>(cluster, {
        apiVersion: "gateway.networking.k8s.io/v1",
        kind: "Gateway",
        namespace: NAMESPACES.edge,
        name: GATEWAY_NAME,
    });
    if (!gateway) throw new ClusterError(`there is no Gateway ${NAMESPACES.edge}/${GATEWAY_NAME}`);
    const address = gateway.status?.addresses?.[0]?.value;
    const listeners = gateway.spec?.listeners ?? [];
    const listener = listeners.find(({ protocol }) => protocol === "HTTPS") ?? listeners[0];
    if (!address || !listener) {
        throw new ClusterError(
            `Gateway ${GATEWAY_NAME} reports no address; say where it is: GATEWAY_URL=http://host:port`,
        );
    }
    const scheme = listener.protocol === "HTTPS" ? "https" : "http";
    return `${scheme}://${address}:${listener.port}`;
}

/**
 * The weights in force, read from the route on the cluster: its rule with both colours' Services.
 *
 * @throws ClusterError when there is no such route or its weights break the rule.
 */
export async function liveWeights(cluster: Cluster): Promise<Weights> {
    const route = await readIfExists(cluster, ROUTE);
    if (!route) throw new ClusterError(`there is no ${keyOf(ROUTE)}`);
    return routeWeights(route);
}
