import { Type } from "typebox";
import { DEFAULT_GRACE, preStopSleep } from "../core/lifecycle.ts";
import type { Pod } from "../core/pods.ts";
import { podRule } from "../core/rule.ts";

const AT = "terminationGracePeriodSeconds";

export const gracePeriod = podRule({
    name: "grace-period",
    title: "The grace period is longer than the pause of preStop, by what the end itself needs.",
    why: "The pause is a part of the grace period: what is not done when that is over is killed, with the requests in it.",
    severity: "high",
    level: "mandatory",
    url: "https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-termination",
    settings: {
        margin: Type.Integer({
            default: 10,
            minimum: 0,
            description: "fewest seconds after the pause, such as the longest request takes",
        }),
    },
    *check(pod, { margin }) {
        const pause = longestPause(pod);
        if (!pause) return;
        const { [AT]: given } = pod.spec;
        const [grace, least] = [given ?? DEFAULT_GRACE, pause.seconds + margin];
        if (grace >= least) return;
        const which = given === undefined ? `the default ${AT}` : AT;
        yield {
            what: `has ${which} ${grace}, of which container ${pause.name} sleeps ${pause.seconds} in preStop; allowed: ${least} or more`,
            at: AT,
            isMissing: given === undefined,
            fix: { [AT]: least },
        };
    },
    remedy(pod, { margin }) {
        const pause = longestPause(pod);
        const least = pause ? pause.seconds + margin : 0;
        if (least > DEFAULT_GRACE) pod.spec[AT] ??= least;
    },
});

/** Of the containers' pauses, which are at the same time. */
function longestPause({ containers }: Pod): { name: string; seconds: number } | undefined {
    return containers
        .map((container) => ({ name: container.name, seconds: preStopSleep(container) }))
        .filter(({ seconds }) => seconds > 0)
        .sort((a, b) => b.seconds - a.seconds)[0];
}
