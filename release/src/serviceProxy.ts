import { KubeConfig } from "@kubernetes/client-node";
import type { Cluster } from "@property-search/deploy";
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { request } from "node:https";
import { json } from "node:stream/consumers";

export interface ServiceAddress {
    readonly namespace: string;
    readonly name: string;
    readonly port: number;
}

/** @returns the JSON at a path of a Service. @throws Error for anything but an answer with JSON in time */
export type Get = (path: string) => Promise<unknown>;

const TIMEOUT_MILLISECONDS = 8_000;

/** Asks by the API server's proxy: what watches the platform is reachable from nowhere else. */
export function serviceProxy(cluster: Cluster, { namespace, name, port }: ServiceAddress): Get {
    const config = new KubeConfig();
    config.loadFromString(cluster.exportKubeconfig());
    const base = `${cluster.server}/api/v1/namespaces/${namespace}/services/${name}:${port}/proxy`;
    return async (path) => {
        const options = { signal: AbortSignal.timeout(TIMEOUT_MILLISECONDS) };
        await config.applyToHTTPSOptions(options);
        const asking = request(`${base}${path}`, options);
        asking.end();
        const [response] = (await once(asking, "response")) as [IncomingMessage];
        const { statusCode = 0 } = response;
        // Prometheus says in JSON what it did not like of a query.
        if (statusCode === 200 || statusCode === 400 || statusCode === 422) return json(response);
        response.resume();
        throw new Error(`${namespace}/${name} answered ${statusCode}`);
    };
}
