import type { V1Secret } from "@kubernetes/client-node";
import {
    IMPACT_PREFIX,
    IMPACT_ROUTE_NAME,
    INSIGHTS_NAMES,
    INSIGHTS_SECRET,
    NAMESPACES,
    PORTS,
} from "@property-search/contract";
import { once } from "node:events";
import { ClusterError, readIfExists, type Cluster } from "../cluster/connect.ts";
import { forwardPort } from "../cluster/forward.ts";
import { findTarget } from "../cluster/forwardedService.ts";
import { gatewayUrl } from "../gateway/endpoint.ts";

const PAGE = { namespace: NAMESPACES.monitoring, name: INSIGHTS_NAMES.page, port: PORTS.insights };

/** The page of what the cache earns. */
export interface ImpactPage {
    /** Its public URL; undefined if the Gateway does not serve it. */
    readonly url: string | undefined;
    readonly accessToken: string;
}

/** @returns undefined if the cluster's stack has no insights */
export async function findImpactPage(cluster: Cluster): Promise<ImpactPage | undefined> {
    const secret = await readIfExists<V1Secret>(cluster, {
        apiVersion: "v1",
        kind: "Secret",
        namespace: NAMESPACES.monitoring,
        name: INSIGHTS_SECRET.name,
    });
    const token = secret?.data?.[INSIGHTS_SECRET.accessToken];
    if (token === undefined) return undefined;
    const route = await readIfExists(cluster, {
        apiVersion: "gateway.networking.k8s.io/v1",
        kind: "HTTPRoute",
        namespace: NAMESPACES.edge,
        name: IMPACT_ROUTE_NAME,
    });
    return {
        url: route && `${await gatewayUrl(cluster)}${IMPACT_PREFIX}`,
        accessToken: Buffer.from(token, "base64").toString(),
    };
}

/**
 * Prints where the page is and how to log in. If the Gateway does not serve it, a port of this machine's loopback leads to it
 * until the signal.
 *
 * @throws ClusterError if the stack has no insights, or no ready pod of them
 */
export async function showImpactPage(
    cluster: Cluster,
    { print, signal }: { print: (line: string) => void; signal: AbortSignal },
): Promise<void> {
    const page = await findImpactPage(cluster);
    if (page === undefined) {
        throw new ClusterError(
            `${cluster.context} has no insights: set insights.enabled and insights.image, and deploy the stack`,
        );
    }
    if (page.url !== undefined) {
        print(describe(page.url, page));
        return;
    }
    const forward = await forwardPort(cluster, await findTarget(cluster, PAGE));
    try {
        print(describe(`${forward.url}${IMPACT_PREFIX}`, page));
        print("The Gateway does not serve it (insights.expose), so it is forwarded; Ctrl-C ends.");
        if (!signal.aborted) await once(signal, "abort");
    } finally {
        await forward.close();
    }
}

function describe(url: string, { accessToken }: ImpactPage): string {
    return `Open ${url}\nLog in with the token ${accessToken}`;
}
