import path from "node:path";

import { freePort } from "../../processes/network.ts";
import type { Target } from "../peer.ts";
import { serviceFrom, type ServiceResources, type Settings } from "./service.ts";

const SERVER = path.resolve(import.meta.dirname, "abServersProcess.ts");
/** Environment variables of abServersProcess.ts: the other variant and its port. */
export const OTHER_VARIANT = "OTHER_VARIANT";
export const OTHER_PORT = "OTHER_PORT";

export const VARIANTS = ["without metrics", "without semantic reuse"] as const;
export type Variant = (typeof VARIANTS)[number];

export interface ABServers {
    readonly service: Target;
    readonly other: Pick<Target, "url" | "headers">;
}

/**
 * Starts one process that serves two variants on the same caches: the service as it is, and another one. Two
 * processes of the same program would differ by more than the cost of what is measured.
 */
export async function startABServers(
    resources: ServiceResources,
    variant: Variant,
    settings: Settings = {},
): Promise<ABServers> {
    const port = String(await freePort());
    const servers = serviceFrom(
        SERVER,
        { [OTHER_VARIANT]: variant, [OTHER_PORT]: port },
        "A/B servers",
        `the service, and the service ${variant}`,
        () => settings,
    );
    const service = await servers.start(resources);
    const url = new URL(service.url);
    url.port = port;
    return { service, other: { url, headers: service.headers } };
}
