import { KubeConfig } from "@kubernetes/client-node";
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { request } from "node:https";
import { json } from "node:stream/consumers";
import type { TestCluster } from "./cluster.ts";

export interface ServiceAddress {
    readonly namespace: string;
    readonly name: string;
    readonly port: number;
}

/** @returns the JSON at a path of a Service. */
export type Get = (path: string) => Promise<unknown>;

/** Asks by the API server's proxy: what watches the platform is reachable from nowhere else. */
export function openService({ kubeconfig }: TestCluster, address: ServiceAddress): Get {
    const config = new KubeConfig();
    config.loadFromFile(kubeconfig);
    const server = config.getCurrentCluster()?.server ?? "";
    const { namespace, name, port } = address;
    const base = `${server}/api/v1/namespaces/${namespace}/services/${name}:${port}/proxy`;
    return async (path) => {
        const options = {};
        await config.applyToHTTPSOptions(options);
        const asking = request(`${base}${path}`, options);
        asking.end();
        const [response] = (await once(asking, "response")) as [IncomingMessage];
        return json(response);
    };
}
