import { againOnConflict } from "../api.ts";
import { ReleaseError } from "../error.ts";
import { isAborting, isOver, type Request, type Switch } from "../state.ts";
import type { Hold } from "../store/lease.ts";
import type { Store } from "../store/record.ts";

/**
 * Asks the driver that is at work, on whichever machine, for something: it finds it on record.
 *
 * @param hold of the driver that asks, where it has taken the place of the one at work
 * @throws ReleaseError where there is nothing to ask for
 */
export async function ask(
    store: Store,
    request: Request,
    hold?: Pick<Hold, "fence" | "holder">,
): Promise<Switch> {
    return againOnConflict(async () => {
        const kept = await store.read();
        const { state } = kept;
        if (!state || isOver(state)) {
            throw new ReleaseError(`no switch is under way: there is nothing to ${request.what}`);
        }
        if (isAborting(state) && request.what !== "rollback") {
            throw new ReleaseError(`the traffic is on its way back to ${state.from} already`);
        }
        const { fence, holder } = hold ?? state;
        const asked = { ...state, request, fence, holder };
        await store.write(asked, kept);
        return asked;
    });
}
