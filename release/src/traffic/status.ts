import type { Api } from "../api.ts";
import type { RouteStatus } from "../machine/ports.ts";
import { readRoute, unaccepted, writeRoute } from "./route.ts";

export function routeStatus(api: Api): RouteStatus {
    return {
        unaccepted: async () => unaccepted(await readRoute(api)),
        mark: async ({ id, phase, to }, fence) => {
            const marks = { id, phase, candidate: to };
            await writeRoute(api, { weights: "kept", marks, fence });
        },
    };
}
