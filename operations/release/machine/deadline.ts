import { isAborting, type Switch } from "../state.ts";

export interface Deadline {
    /** Milliseconds since the epoch. */
    readonly at: number;
    /** Message for a missed deadline. */
    readonly message: string;
}

/**
 * Deadline of the current phase. Phases that end with a verdict have other deadlines than those that wait for a condition;
 * a rollback has none, since there is no alternative to it.
 */
export function deadlineOf(state: Switch): Deadline | undefined {
    const { plan, phase, phaseSince, paused } = state;
    if (isAborting(state) || phase === "promoted" || phase === "finalize") return undefined;
    if ((phase === "observe" || phase === "bake") && paused) {
        const seconds = plan.pauseDeadlineSeconds;
        return { at: paused.at + seconds * 1000, message: `paused for longer than ${seconds} s` };
    }
    const seconds =
        phase === "observe"
            ? plan.stepDeadlineSeconds
            : phase === "bake"
              ? plan.bakeSeconds + plan.stepDeadlineSeconds
              : plan.phaseDeadlineSeconds;
    return {
        at: phaseSince + seconds * 1000,
        message: `${phase} did not complete within ${seconds} s`,
    };
}
