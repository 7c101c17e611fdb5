import { UserError } from "@property-search/contract";
import { isIP } from "node:net";

import { connect, type Cluster } from "../../operations/cluster/connect.ts";
import { readStackApiKey } from "../../operations/deploy/pulumi/secret.ts";
import { findGateway } from "../../operations/gateway/endpoint.ts";
import { chooseKubeconfig, localKubeconfig } from "../../operations/stack/localCluster.ts";

/** What the load goes to. */
export interface LoadTarget {
    /** http://host:port */
    readonly url: string;
    readonly headers: Readonly<Record<string, string>>;
    /** The cluster of `make up`, if the URL is that of its Gateway. */
    readonly cluster: Cluster | undefined;
}

/**
 * Finds the target: a URL on this machine's loopback, or by default the Gateway of the cluster of `make up` with the API
 * key of its stack. API_KEY is sent to a URL if it is set.
 *
 * @throws UserError if the URL is not on this machine, or there is no cluster
 */
export async function findLoadTarget(
    given: string | undefined,
    report: (line: string) => void,
): Promise<LoadTarget> {
    if (given !== undefined) {
        const url = parseLoopbackUrl(given);
        const { API_KEY: key } = process.env;
        return { url, headers: key ? authorization(key) : {}, cluster: undefined };
    }
    const kubeconfig = localKubeconfig();
    if (kubeconfig === undefined)
        throw new UserError(
            "URL is not set, and there is no cluster of make up; allowed: http://127.0.0.1:port, or run make up first",
        );
    const cluster = connect(chooseKubeconfig({}) ?? kubeconfig);
    const { address, url } = await findGateway(cluster);
    if (!url.startsWith("http:"))
        throw new UserError(`the Gateway's URL is ${url}; the load generator speaks http only`);
    const stack = "local";
    const apiKey = await readStackApiKey({ cluster, stack, report });
    return {
        url: `http://${address.host.includes(":") ? `[${address.host}]` : address.host}:${address.port}`,
        headers: apiKey === undefined ? {} : authorization(apiKey),
        cluster,
    };
}

const authorization = (key: string) => ({ authorization: `Bearer ${key}` });

/** @throws UserError for any other machine: a load test is an attack where nobody expects it */
export function parseLoopbackUrl(given: string): string {
    const allowed = "http://127.0.0.1:port, or not set for the Gateway of make up";
    const fail = () => new UserError(`URL is ${JSON.stringify(given)}; allowed: ${allowed}`);
    if (!URL.canParse(given)) throw fail();
    const { protocol, hostname, port, pathname } = new URL(given);
    const host = hostname.replace(/^\[|\]$/g, "");
    const isLoopback =
        host === "localhost" || host === "::1" || (isIP(host) === 4 && host.startsWith("127."));
    if (protocol !== "http:" || !isLoopback || pathname !== "/") throw fail();
    return `http://${hostname}:${port || "80"}`;
}
