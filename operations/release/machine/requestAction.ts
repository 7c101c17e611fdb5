import { retryOnConflict } from "../api.ts";
import { ReleaseError } from "../error.ts";
import { isAborting, hasEnded, type ActionRequest, type Switch } from "../state.ts";
import type { LeaseHandle } from "../store/lease.ts";
import type { Store } from "../store/record.ts";

/**
 * Requests an action from the running driver, on whichever machine, through the release record.
 *
 * @param lease of the requesting driver, if it has replaced the running one
 * @throws ReleaseError if there is no switch to act on
 */
export async function requestAction(
    store: Store,
    request: ActionRequest,
    lease?: Pick<LeaseHandle, "fence" | "holder">,
): Promise<Switch> {
    return retryOnConflict(async () => {
        const kept = await store.read();
        const { state } = kept;
        if (!state || hasEnded(state)) {
            throw new ReleaseError(
                `no switch is in progress: there is nothing to ${request.action}`,
            );
        }
        if (isAborting(state) && request.action !== "rollback") {
            throw new ReleaseError(`the traffic already returns to ${state.from}`);
        }
        const { fence, holder } = lease ?? state;
        const requested = { ...state, request, fence, holder };
        await store.write(requested, kept);
        return requested;
    });
}
