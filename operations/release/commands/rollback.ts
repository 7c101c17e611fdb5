import { otherColour } from "@property-search/contract";
import { ReleaseError, Superseded } from "../error.ts";
import { requestAction } from "../machine/requestAction.ts";
import { ROLLBACK_PLAN, type Plan } from "../plan.ts";
import { candidateWeights, isAborting, hasEnded, type Switch } from "../state.ts";
import { writeRoute } from "../traffic/route.ts";
import type { Context } from "./context.ts";
import { follow, run, acquire } from "./run.ts";
import { start } from "./start.ts";

export interface RollbackOptions {
    readonly force: boolean;
    readonly reason: string;
    /** Plan of the rollback if no switch is in progress. */
    readonly plan: Plan;
}

/** A running driver takes a request within a second and rarely stays silent for this long. */
const UNANSWERED_MILLISECONDS = 5_000;

/**
 * Aborts the current switch, or reverts the last one.
 *
 * @returns the switch after it has ended
 */
export async function rollback(context: Context, options: RollbackOptions): Promise<Switch> {
    const { store } = context;
    const { state } = await store.read();
    if (!state || hasEnded(state)) return rollBackLast(context, state, options);
    return options.force
        ? forceRollback(context, state, options.reason)
        : requestRollback(context, state, options.reason);
}

/** Requests a rollback from the running driver; without one, rolls back in this process. */
async function requestRollback(context: Context, before: Switch, reason: string): Promise<Switch> {
    const { store, clock, actor, report } = context;
    const request = { action: "rollback", by: actor, at: clock.now(), reason } as const;
    if (!isAborting(before)) {
        await requestAction(store, request);
        report(`requested ${before.holder} to roll back`);
    }
    for (;;) {
        const state = await follow(context, UNANSWERED_MILLISECONDS);
        if (hasEnded(state)) return state;
        try {
            return await run(context, await context.createPorts(false), await acquire(context));
        } catch (error) {
            // The other driver is running after all, for example in a long update of the stack.
            if (!(error instanceof Superseded)) throw error;
        }
    }
}

/** Writes the route first, past every owner, and then completes the rollback as usual. */
async function forceRollback(context: Context, before: Switch, reason: string): Promise<Switch> {
    const { api, store, clock, actor, report } = context;
    const started = clock.elapsed();
    const lease = await acquire(context, true);
    const weights = candidateWeights(before.from, 100);
    await writeRoute(api, { weights, annotations: { id: before.id }, fence: lease.fence });
    const seconds = ((clock.elapsed() - started) / 1000).toFixed(1);
    report(`all traffic to ${before.from} after ${seconds} s, past the stack's config`);
    const request = { action: "rollback", by: actor, at: clock.now(), reason } as const;
    await requestAction(store, request, lease);
    return run(context, await context.createPorts(true), lease);
}

/** Reverts the last switch in one step, while none is in progress. */
function rollBackLast(
    context: Context,
    last: Switch | undefined,
    { force, reason, plan }: RollbackOptions,
): Promise<Switch> {
    if (last?.phase !== "promoted") {
        throw new ReleaseError(
            "there is nothing to roll back: no switch is in progress, and none was promoted",
        );
    }
    const to = otherColour(last.to);
    return start(context, {
        kind: "rollback",
        to,
        plan: { ...plan, ...ROLLBACK_PLAN },
        reason: reason || `rollback of switch ${last.id}`,
        force,
    });
}
