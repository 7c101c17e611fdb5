import { isAborting, type Switch } from "../state.ts";

export interface Deadline {
    /** Milliseconds since the epoch. */
    readonly at: number;
    /** What is too late then, in words. */
    readonly words: string;
}

/**
 * When the present phase is given up. Phases that end by a verdict have other deadlines than those that
 * only wait for something to become so; a way back has none, since there is nothing better to do.
 */
export function deadlineOf(state: Switch): Deadline | undefined {
    const { plan, phase, phaseSince, paused } = state;
    if (isAborting(state) || phase === "promoted" || phase === "finalize") return undefined;
    if ((phase === "observe" || phase === "bake") && paused) {
        const seconds = plan.pauseDeadline;
        return { at: paused.at + seconds * 1000, words: `paused for longer than ${seconds} s` };
    }
    const seconds =
        phase === "observe"
            ? plan.stepDeadline
            : phase === "bake"
              ? plan.bake + plan.stepDeadline
              : plan.phaseDeadline;
    return { at: phaseSince + seconds * 1000, words: `${phase} was not over after ${seconds} s` };
}
