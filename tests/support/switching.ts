import { COLOURS, otherColour, type Colour, type Weights } from "@property-search/contract";
import { gatewayUrl, liveWeights } from "@property-search/deploy";
import { clusterApi } from "../../release/src/api.ts";
import { fenceOf } from "../../release/src/fence.ts";
import { readRoute, writeRoute } from "../../release/src/traffic/route.ts";
import { startClients, type Clients } from "./clients/clients.ts";
import type { Sending } from "./clients/sending.ts";
import type { TestCluster } from "./cluster.ts";
import { keepStackFile } from "./driver.ts";

/** More than a thousand a second, among them some without keep-alive and some that are slow. */
export const USUAL = { kept: 850, fresh: 200, slow: 10 } as const;

export async function startUsual(
    cluster: TestCluster,
    sending: Partial<Sending> = {},
): Promise<Clients> {
    return startClients({
        url: await gatewayUrl(cluster),
        headers: {},
        perSecond: USUAL,
        known: 200,
        unknown: 0.002,
        lateMilliseconds: 200,
        maxSeconds: 600,
        maxRequests: 1_000_000,
        ...sending,
    });
}

/** Who has more of the traffic. */
export async function activeColour(cluster: TestCluster): Promise<Colour> {
    const weights = await liveWeights(cluster);
    return COLOURS.find((colour) => weights[colour] > 50) ?? "blue";
}

export async function idleColour(cluster: TestCluster): Promise<Colour> {
    return otherColour(await activeColour(cluster));
}

/** Sets weights as the driver does, between two switches. */
export async function setWeights(cluster: TestCluster, weights: Weights): Promise<void> {
    const api = clusterApi(cluster);
    const fence = fenceOf(await readRoute(api));
    await writeRoute(api, { weights, marks: {}, fence });
}

/** @returns what puts the weights and the stack's config file back, as they were before any switch */
export async function keepTraffic(cluster: TestCluster): Promise<() => Promise<void>> {
    const weights = await liveWeights(cluster);
    const putBack = await keepStackFile();
    return async () => {
        await setWeights(cluster, weights);
        await putBack();
    };
}
