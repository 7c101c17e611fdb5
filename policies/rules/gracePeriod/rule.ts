import { Type } from "typebox";
import { cel, said, words } from "../../cel/cel.ts";
import { podRule } from "../../engine/rule.ts";
import { PAUSE, longestPause } from "./pause.ts";

const DEFAULT_SECONDS = 30;
const short = words(
    (grace, pause, least) =>
        said`has a grace period of ${grace} s, of which preStop takes ${pause} s; allowed: at least ${least} s`,
);

export const gracePeriod = podRule({
    name: "grace-period",
    title: "The termination grace period of a pod is longer than its preStop hook.",
    why: "The grace period includes the preStop hook. Open requests are killed after what remains of it.",
    severity: "high",
    level: "mandatory",
    url: "https://kubernetes.io/docs/concepts/containers/container-lifecycle-hooks/#hook-handler-execution",
    settings: {
        marginSeconds: Type.Integer({
            default: 5,
            minimum: 1,
            description: "minimum seconds after preStop",
        }),
    },
    *check(pod, { marginSeconds }) {
        const pause = longestPause(pod);
        if (pause === 0) return;
        const { terminationGracePeriodSeconds: grace = DEFAULT_SECONDS } = pod.spec;
        if (grace >= pause + marginSeconds) return;
        yield {
            what: short(grace, pause, pause + marginSeconds),
            at: "terminationGracePeriodSeconds",
            isMissing: !("terminationGracePeriodSeconds" in pod.spec),
            fix: { terminationGracePeriodSeconds: pause + marginSeconds },
        };
    },
    admission: ({ marginSeconds }) => [
        {
            of: "pod",
            each: {
                pause: cel`[${PAUSE}]`,
                grace: cel`[variables.pod.?terminationGracePeriodSeconds.orValue(${DEFAULT_SECONDS})]`,
            },
            violated: cel`pause > 0 && grace < pause + ${marginSeconds}`,
            what: short(cel`grace`, cel`pause`, cel`pause + ${marginSeconds}`),
            at: "terminationGracePeriodSeconds",
        },
    ],
    remedy(pod, { marginSeconds }) {
        const wanted = longestPause(pod) + marginSeconds;
        if (wanted > marginSeconds && wanted > DEFAULT_SECONDS) {
            pod.spec.terminationGracePeriodSeconds ??= wanted;
        }
    },
});
