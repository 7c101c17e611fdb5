import { Type } from "typebox";
import { cel, said, words } from "../../cel/cel.ts";
import { podRule } from "../../engine/rule.ts";
import { PAUSE, longestPause } from "./pause.ts";

const DEFAULT_SECONDS = 30;
const short = words(
    (grace, pause, least) =>
        said`has ${grace} s to end, of which preStop takes ${pause}; allowed: ${least} or more`,
);

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
            what: short(grace, pause, pause + margin),
            at: "terminationGracePeriodSeconds",
            isMissing: !("terminationGracePeriodSeconds" in pod.spec),
            fix: { terminationGracePeriodSeconds: pause + margin },
        };
    },
    admission: ({ margin }) => [
        {
            of: "pod",
            each: {
                pause: cel`[${PAUSE}]`,
                grace: cel`[variables.pod.?terminationGracePeriodSeconds.orValue(${DEFAULT_SECONDS})]`,
            },
            violated: cel`pause > 0 && grace < pause + ${margin}`,
            what: short(cel`grace`, cel`pause`, cel`pause + ${margin}`),
            at: "terminationGracePeriodSeconds",
        },
    ],
    remedy(pod, { margin }) {
        const wanted = longestPause(pod) + margin;
        if (wanted > margin && wanted > DEFAULT_SECONDS) {
            pod.spec.terminationGracePeriodSeconds ??= wanted;
        }
    },
});
