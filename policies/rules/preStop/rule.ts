import { Type } from "typebox";
import { cel, matchesAny } from "../../cel/cel.ts";
import { glob } from "../../cel/glob.ts";
import { podRule } from "../../engine/rule.ts";
import { isServing, type Pod } from "../../kubernetes/pods.ts";

const WHAT = "serves and has no preStop";

export const preStop = podRule({
    name: "pre-stop",
    title: "What serves waits a moment before it ends.",
    why: "Endpoints and gateways learn of a pod's end after its process does; requests of those seconds meet a closed port.",
    severity: "high",
    // Who stands behind a balancer is not to be seen in a manifest: a stack names it, and makes it mandatory.
    level: "advisory",
    url: "https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-termination-flow",
    settings: {
        workloads: Type.Array(Type.String(), {
            default: ["*"],
            description: "globs of names of workloads whose clients must not notice an end",
        }),
        seconds: Type.Integer({ default: 5, minimum: 1, description: "the pause to set" }),
    },
    *check(pod, { workloads, seconds }) {
        for (const container of waiting(pod, workloads)) {
            if (container.spec.lifecycle?.preStop) continue;
            const at = `${container.path.slice(pod.path.length + 1)}.lifecycle.preStop`;
            const fix = { lifecycle: { preStop: { sleep: { seconds } } } };
            yield { container: container.name, what: WHAT, at, isMissing: true, fix };
        }
    },
    admission: ({ workloads }) => [
        {
            of: "serving",
            violated: cel`${matchesAny(workloads, cel`variables.name`)} && !c.?lifecycle.?preStop.hasValue()`,
            what: WHAT,
            at: "lifecycle.preStop",
        },
    ],
    remedy(pod, { workloads, seconds }) {
        const { terminationGracePeriodSeconds: grace = 30 } = pod.spec;
        // The API server refuses a pause longer than the whole; one nearly as long takes what the end itself needs.
        if (grace < 2 * seconds) return;
        for (const { spec } of waiting(pod, workloads)) {
            spec.lifecycle ??= {};
            spec.lifecycle.preStop ??= { sleep: { seconds } };
        }
    },
});

/** All that a workload's clients may talk to, where it is one of those. */
function waiting(pod: Pod, workloads: readonly string[]) {
    const serving = pod.containers.filter(isServing);
    const isAny = workloads.includes("*");
    const isNamed = () => workloads.some((one) => glob(one, pod.object.name));
    return serving.length > 0 && (isAny || isNamed()) ? serving : [];
}
