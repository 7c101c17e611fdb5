import { cel } from "../../cel/cel.ts";
import type { Pod } from "../../kubernetes/pods.ts";

/** Seconds that preStop takes of a pod's end; of a command nobody can tell. */
export function longestPause({ containers }: Pod): number {
    return Math.max(
        0,
        ...containers.map(({ spec }) => spec.lifecycle?.preStop?.sleep?.seconds ?? 0),
    );
}

/** The same in CEL. */
export const PAUSE = cel`variables.containers.map(c, c.?lifecycle.?preStop.?sleep.?seconds.orValue(0)).max()`;
