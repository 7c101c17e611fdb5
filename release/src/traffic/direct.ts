import type { Api } from "../api.ts";
import { readRoute, weightsOf, writeRoute } from "./route.ts";
import type { Traffic } from "./traffic.ts";

/** The route itself, written in one request. */
export function directTraffic(api: Api): Traffic {
    return {
        kind: "direct",
        read: async () => weightsOf(await readRoute(api)),
        set: async (weights, { fence, id }) => {
            await writeRoute(api, { weights, marks: { id }, fence });
        },
    };
}
