import { Type } from "typebox";
import type { Pod } from "../core/pods.ts";
import { podRule } from "../core/rule.ts";

const DEFAULT_SECONDS = 30;

export const gracePeriod = podRule({
    name: "grace-period",
    title: "A pod has more time to end than its preStop takes.",
    why: "The grace period runs from before preStop: what is left after it is all that open requests get before they are killed.",
    severity: "high",
    level: "mandatory",
    url: "https://kubernetes.io/docs/concepts/containers/container-lifecycle-hooks/#hook-handler-execution",
    settings: {
        margin: Type.Integer({
            default: 5,
            minimum: 1,
            description: "seconds that must be left after preStop",
        }),
    },
    *check(pod, { margin }) {
        const pause = longestPause(pod);
        if (pause === 0) return;
        const { terminationGracePeriodSeconds: grace = DEFAULT_SECONDS } = pod.spec;
        if (grace >= pause + margin) return;
        yield {
            what: `has ${grace} s to end, of which preStop takes ${pause}; allowed: ${pause + margin} or more`,
            at: "terminationGracePeriodSeconds",
            isMissing: !("terminationGracePeriodSeconds" in pod.spec),
            fix: { terminationGracePeriodSeconds: pause + margin },
        };
    },
    remedy(pod, { margin }) {
        const wanted = longestPause(pod) + margin;
        if (wanted > margin && wanted > DEFAULT_SECONDS) {
            pod.spec.terminationGracePeriodSeconds ??= wanted;
        }
    },
});

/** Seconds; of a command nobody can tell. */
function longestPause({ containers }: Pod): number {
    return Math.max(
        0,
        ...containers.map(({ spec }) => spec.lifecycle?.preStop?.sleep?.seconds ?? 0),
    );
}
