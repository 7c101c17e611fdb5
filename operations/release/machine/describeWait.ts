import { hasEnded, type Switch } from "../state.ts";

/** Describes what a switch waits for; undefined after it has ended. */
export function describeWait(state: Switch): string | undefined {
    if (hasEnded(state)) return undefined;
    if (state.waitingFor !== undefined) return state.waitingFor;
    if (state.paused) return "promote, or the deadline of the pause";
    if (state.phase === "observe") return "a passing verdict and the minimum duration of the step";
    if (state.phase === "bake") return "the end of the bake time";
    return undefined;
}
