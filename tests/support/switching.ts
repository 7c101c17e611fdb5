import { COLOURS, otherColour, type Colour, type Weights } from "@property-search/contract";
import { readLiveWeights } from "../../operations/gateway/endpoint.ts";
import { clusterApi } from "../../operations/release/api.ts";
import { fenceOf } from "../../operations/release/fence.ts";
import { readRoute, writeRoute } from "../../operations/release/traffic/route.ts";
import { startClients, type Clients } from "./clients/clients.ts";
import type { Sending } from "./clients/sending.ts";
import { bothColoursReady, openClient, type TestCluster } from "./cluster.ts";
import { keepStackFile } from "./driver.ts";

/** More than a thousand a second, among them some without keep-alive and some that are slow. */
export const USUAL = { kept: 850, fresh: 200, slow: 10 } as const;

/** Flags of a short switch. */
export const QUICK_PLAN =
    "--min-step-seconds 15 --min-requests 200 --bake-seconds 0 --cooldown-seconds 0".split(" ");

export async function startUsual(
    cluster: TestCluster,
    sending: Partial<Sending> = {},
): Promise<Clients> {
    const { url, headers } = await openClient(cluster);
    return startClients({
        url,
        perSecond: USUAL,
        known: 200,
        unknown: 0.002,
        lateMilliseconds: 200,
        maxSeconds: 600,
        maxRequests: 1_000_000,
        ...sending,
        headers: { ...headers, ...sending.headers },
    });
}

/** Who has more of the traffic. */
export function activeColour(weights: Weights): Colour {
    return COLOURS.find((colour) => weights[colour] > 50) ?? "blue";
}

/** Sets weights as the driver does, between two switches. */
export async function setWeights(cluster: TestCluster, weights: Weights): Promise<void> {
    const api = clusterApi(cluster);
    const fence = fenceOf(await readRoute(api));
    await writeRoute(api, { weights, annotations: {}, fence });
}

/** Both colours are ready and the active one is known. `putBack` restores weights and the stack's config file. */
export async function beginSwitching(
    cluster: TestCluster,
): Promise<{ readonly idle: Colour; readonly putBack: () => Promise<void> }> {
    await bothColoursReady(cluster);
    const weights = await readLiveWeights(cluster);
    const putFileBack = await keepStackFile();
    return {
        idle: otherColour(activeColour(weights)),
        putBack: async () => {
            await setWeights(cluster, weights);
            await putFileBack();
        },
    };
}
