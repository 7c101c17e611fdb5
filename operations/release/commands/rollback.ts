import { otherColour } from "@property-search/contract";
import { ReleaseError, Superseded } from "../error.ts";
import { ask } from "../machine/requestAction.ts";
import { WAY_BACK, type Plan } from "../plan.ts";
import { candidateWeights, isAborting, isOver, type Switch } from "../state.ts";
import { writeRoute } from "../traffic/route.ts";
import type { Context } from "./context.ts";
import { follow, run, take } from "./run.ts";
import { start } from "./start.ts";

export interface RollbackOptions {
    readonly direct: boolean;
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
    if (!state || isOver(state)) return back(context, state, options);
    return options.direct
        ? brake(context, state, options.reason)
        : asked(context, state, options.reason);
}

/** Requests a rollback from the running driver; without one, rolls back in this process. */
async function asked(context: Context, before: Switch, reason: string): Promise<Switch> {
    const { store, clock, actor, report } = context;
    const request = { what: "rollback", by: actor, at: clock.now(), reason } as const;
    if (!isAborting(before)) {
        await ask(store, request);
        report(`requested ${before.holder} to roll back`);
    }
    for (;;) {
        const state = await follow(context, UNANSWERED_MILLISECONDS);
        if (isOver(state)) return state;
        try {
            return await run(context, await context.openPorts(false), await take(context));
        } catch (error) {
            // The other driver is running after all, for example in a long update of the stack.
            if (!(error instanceof Superseded)) throw error;
        }
    }
}

/** Writes the route first, past every owner, and then completes the rollback as usual. */
async function brake(context: Context, before: Switch, reason: string): Promise<Switch> {
    const { api, store, clock, actor, report } = context;
    const started = clock.elapsed();
    const hold = await take(context, true);
    const weights = candidateWeights(before.from, 100);
    await writeRoute(api, { weights, marks: { id: before.id }, fence: hold.fence });
    const seconds = ((clock.elapsed() - started) / 1000).toFixed(1);
    report(`all traffic to ${before.from} after ${seconds} s, past the stack's config`);
    const request = { what: "rollback", by: actor, at: clock.now(), reason } as const;
    await ask(store, request, hold);
    return run(context, await context.openPorts(true), hold);
}

/** Reverts the last switch in one step, while none is in progress. */
function back(
    context: Context,
    last: Switch | undefined,
    { direct, reason, plan }: RollbackOptions,
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
        plan: { ...plan, ...WAY_BACK },
        reason: reason || `rollback of switch ${last.id}`,
        direct,
    });
}
