import { isOver, type Switch } from "../state.ts";

/** What a switch waits for now, for people; undefined when it is over. */
export function waitsFor(state: Switch): string | undefined {
    if (isOver(state)) return undefined;
    if (state.trouble !== undefined) return state.trouble;
    if (state.paused) return "promote, or its pause's deadline";
    if (state.phase === "observe") return "its verdict, and the time that the step is held";
    if (state.phase === "bake") return "the end of the watch";
    return undefined;
}
