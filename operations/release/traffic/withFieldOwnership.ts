import type { Api } from "../api.ts";
import { othersOwn } from "../../cluster/fieldOwnership.ts";
import { readRoute, RULES, writeRoute } from "./route.ts";
import type { Traffic } from "./traffic.ts";

/**
 * Holds the weights for as long as the switch lasts, whoever owns them: what the owner has set, the driver
 * then owns with it, so that an update from a checkout with older weights is refused by the API server
 * instead of moving the traffic back. Before each change the hold is given up, and a later driver's fence
 * ends this one's before anything is moved.
 */
export function heldTraffic(api: Api, owner: Traffic): Traffic {
    return {
        ...owner,
        set: async (weights, change) => {
            const { fence, id } = change;
            const marks = { id };
            // After a direct change nobody else has the rules, and to give them up would be to delete them.
            const shared = othersOwn(await readRoute(api), RULES);
            await writeRoute(api, { weights: shared ? "left" : weights, marks, fence });
            await owner.set(weights, change);
            await writeRoute(api, { weights, marks, fence });
        },
        force: async (weights, change) => {
            const { fence, id } = change;
            await writeRoute(api, { weights, marks: { id }, fence });
            await owner.force?.(weights, change);
        },
    };
}
