import type { Api } from "../api.ts";
import { hasOtherOwners } from "../../cluster/fieldOwnership.ts";
import { readRoute, RULES_PATH, writeRoute } from "./route.ts";
import type { Traffic } from "./traffic.ts";

/**
 * Makes the driver a co-owner of the weights during the switch: the API server then rejects an update from a checkout with
 * older weights, which would shift the traffic back. Before each change the driver relinquishes its ownership, and a later
 * driver's fence stops this one before it changes anything.
 */
export function withFieldOwnership(api: Api, owner: Traffic): Traffic {
    return {
        ...owner,
        set: async (weights, change) => {
            const { fence, id } = change;
            const marks = { id };
            // After a direct change the driver is the only owner of the rules: relinquishing them would delete them.
            const shared = hasOtherOwners(await readRoute(api), RULES_PATH);
            await writeRoute(api, {
                weights: shared ? "release" : weights,
                annotations: marks,
                fence,
            });
            await owner.set(weights, change);
            await writeRoute(api, { weights, annotations: marks, fence });
        },
        force: async (weights, change) => {
            const { fence, id } = change;
            await writeRoute(api, { weights, annotations: { id }, fence });
            await owner.force?.(weights, change);
        },
    };
}
