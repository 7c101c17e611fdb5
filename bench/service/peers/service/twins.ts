import path from "node:path";

import { freePort } from "../../processes/network.ts";
import type { Contestant } from "../peer.ts";
import { serviceOf, type ServiceGround } from "./service.ts";

const SERVER = path.resolve(import.meta.dirname, "twinsServer.ts");
/** Port of the twin that counts nothing, in the environment of twinsServer.ts. */
export const UNCOUNTED_PORT = "UNCOUNTED_PORT";

export interface Twins {
    readonly counted: Contestant;
    readonly uncounted: Pick<Contestant, "url" | "headers">;
}

/**
 * One process that is the service twice, on the same caches: once as it is, and once with nobody who
 * counts. Two processes of the same program differ by more than counting costs, as long as they run.
 */
export async function startTwins(ground: ServiceGround): Promise<Twins> {
    const port = String(await freePort());
    const twins = serviceOf(
        SERVER,
        { [UNCOUNTED_PORT]: port },
        "twins",
        "the service, and the service without metrics",
        () => ({}),
    );
    const counted = await twins.start(ground);
    const url = new URL(counted.url);
    url.port = port;
    return { counted, uncounted: { url, headers: counted.headers } };
}
