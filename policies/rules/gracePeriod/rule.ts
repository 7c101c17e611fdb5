import { Type } from "typebox";
import { cel, message, template } from "../../cel/cel.ts";
import { podRule } from "../../engine/rule.ts";
import { PRE_STOP_SECONDS, longestPreStopSeconds } from "./preStop.ts";

const DEFAULT_SECONDS = 30;
const tooShort = template(
    (grace, pause, least) =>
        message`has a grace period of ${grace} s, of which preStop takes ${pause} s; allowed: at least ${least} s`,
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
        const pause = longestPreStopSeconds(pod);
        if (pause === 0) return;
        const { terminationGracePeriodSeconds: grace = DEFAULT_SECONDS } = pod.spec;
        if (grace >= pause + marginSeconds) return;
        yield {
            message: tooShort(grace, pause, pause + marginSeconds),
            path: "terminationGracePeriodSeconds",
            isMissing: !("terminationGracePeriodSeconds" in pod.spec),
            fix: { terminationGracePeriodSeconds: pause + marginSeconds },
        };
    },
    admission: ({ marginSeconds }) => [
        {
            target: "pod",
            each: {
                pause: cel`[${PRE_STOP_SECONDS}]`,
                grace: cel`[variables.pod.?terminationGracePeriodSeconds.orValue(${DEFAULT_SECONDS})]`,
            },
            violated: cel`pause > 0 && grace < pause + ${marginSeconds}`,
            message: tooShort(cel`grace`, cel`pause`, cel`pause + ${marginSeconds}`),
            path: "terminationGracePeriodSeconds",
        },
    ],
    remediate(pod, { marginSeconds }) {
        const wanted = longestPreStopSeconds(pod) + marginSeconds;
        if (wanted > marginSeconds && wanted > DEFAULT_SECONDS) {
            pod.spec.terminationGracePeriodSeconds ??= wanted;
        }
    },
});
