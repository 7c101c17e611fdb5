import type { Api } from "../api.ts";
import type { Switch } from "../state.ts";
import { readRoute, unaccepted, writeRoute } from "./route.ts";

/** The route as the gateway says it stands. */
export interface RouteStatus {
    /** @returns why it does not serve as it is written, or undefined */
    readonly unaccepted: () => Promise<string | undefined>;
    /** Phase and candidate, for dashboards and for whoever looks at the route. */
    readonly mark: (state: Switch, fence: number) => Promise<void>;
}

export function routeStatus(api: Api): RouteStatus {
    return {
        unaccepted: async () => unaccepted(await readRoute(api)),
        mark: async ({ id, phase, to }, fence) => {
            const marks = { id, phase, candidate: to };
            await writeRoute(api, { weights: "kept", marks, fence });
        },
    };
}
