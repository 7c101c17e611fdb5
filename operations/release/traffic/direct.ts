import { routeWeights } from "../../shared/route.ts";
import type { Api } from "../api.ts";
import { readRoute, writeRoute } from "./route.ts";
import type { Traffic } from "./traffic.ts";

/** Writes the route directly, in one request. */
export function directTraffic(api: Api): Traffic {
    return {
        kind: "direct",
        read: async () => routeWeights(await readRoute(api)),
        set: async (weights, { fence, id }) => {
            await writeRoute(api, { weights, annotations: { id }, fence });
        },
    };
}
