import { againOnConflict } from "../api.ts";
import { ReleaseError } from "../error.ts";
import { isAborting, isOver, type Request, type Switch } from "../state.ts";
import type { Hold } from "../store/lease.ts";
import type { Store } from "../store/record.ts";

/**
 * Requests an action from the running driver, on whichever machine, through the release record.
 *
 * @param lease of the requesting driver, if it has replaced the running one
 * @throws ReleaseError if there is no switch to act on
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
            throw new ReleaseError(`no switch is in progress: there is nothing to ${request.what}`);
        }
        if (isAborting(state) && request.what !== "rollback") {
            throw new ReleaseError(`the traffic already returns to ${state.from}`);
        }
        const { fence, holder } = hold ?? state;
        const asked = { ...state, request, fence, holder };
        await store.write(asked, kept);
        return asked;
    });
}
