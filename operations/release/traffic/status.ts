import type { Api } from "../api.ts";
import type { Switch } from "../state.ts";
import { readRoute, notAcceptedReason, writeRoute } from "./route.ts";

/** Status of the route at the gateway. */
export interface RouteStatus {
    /** @returns why the route is not in force, or undefined */
    readonly notAcceptedReason: () => Promise<string | undefined>;
    /** Annotates the route with phase and candidate, for dashboards and operators. */
    readonly annotate: (state: Switch, fence: number) => Promise<void>;
}

export function routeStatus(api: Api): RouteStatus {
    return {
        notAcceptedReason: async () => notAcceptedReason(await readRoute(api)),
        annotate: async ({ id, phase, to }, fence) => {
            const marks = { id, phase, candidate: to };
            await writeRoute(api, { weights: "retain", annotations: marks, fence });
        },
    };
}
