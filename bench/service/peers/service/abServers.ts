import path from "node:path";

import { freePort } from "../../processes/network.ts";
import type { Target } from "../peer.ts";
import { serviceFrom, type ServiceResources } from "./service.ts";

const SERVER = path.resolve(import.meta.dirname, "abServersProcess.ts");
/** Environment variable of abServersProcess.ts: the port of the variant without metrics. */
export const WITHOUT_METRICS_PORT = "UNCOUNTED_PORT";

export interface ABServers {
    readonly withMetrics: Target;
    readonly withoutMetrics: Pick<Target, "url" | "headers">;
}

/**
 * Starts one process that serves two variants on the same caches: the service as it is, and without metrics. Two
 * processes of the same program would differ by more than the cost of metrics.
 */
export async function startABServers(resources: ServiceResources): Promise<ABServers> {
    const port = String(await freePort());
    const servers = serviceFrom(
        SERVER,
        { [WITHOUT_METRICS_PORT]: port },
        "A/B servers",
        "the service, and the service without metrics",
        () => ({}),
    );
    const withMetrics = await servers.start(resources);
    const url = new URL(withMetrics.url);
    url.port = port;
    return { withMetrics, withoutMetrics: { url, headers: withMetrics.headers } };
}
