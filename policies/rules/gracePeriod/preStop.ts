import { cel } from "../../cel/cel.ts";
import type { Pod } from "../../kubernetes/pods.ts";

/** @returns the longest sleep of the preStop hooks; the duration of a command is unknown. */
export function longestPreStopSeconds({ containers }: Pod): number {
    return Math.max(
        0,
        ...containers.map(({ spec }) => spec.lifecycle?.preStop?.sleep?.seconds ?? 0),
    );
}

/** The same in CEL. */
export const PRE_STOP_SECONDS = cel`variables.containers.map(c, c.?lifecycle.?preStop.?sleep.?seconds.orValue(0)).max()`;
