import { Type } from "typebox";
import { cel, matchesAny } from "../../cel/cel.ts";
import { matchesGlob } from "../../cel/glob.ts";
import { podRule } from "../../engine/rule.ts";
import { isServing, type Pod } from "../../kubernetes/pods.ts";

const WHAT = "serves requests and has no preStop hook";

export const preStop = podRule({
    name: "pre-stop",
    title: "Containers that serve requests have a preStop hook that delays their termination.",
    why: "Endpoints and gateways remove a pod after its process has received SIGTERM. Requests in those seconds reach a closed port.",
    severity: "high",
    // A manifest does not show which workloads have clients: a stack lists them and makes the rule mandatory.
    level: "advisory",
    url: "https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-termination-flow",
    settings: {
        workloads: Type.Array(Type.String(), {
            default: ["*"],
            description: "globs of names of workloads that must terminate without failed requests",
        }),
        seconds: Type.Integer({
            default: 5,
            minimum: 1,
            description: "sleep that remediation sets, in seconds",
        }),
    },
    *check(pod, { workloads, seconds }) {
        for (const container of listServing(pod, workloads)) {
            if (container.spec.lifecycle?.preStop) continue;
            const path = `${container.path.slice(pod.path.length + 1)}.lifecycle.preStop`;
            const fix = { lifecycle: { preStop: { sleep: { seconds } } } };
            yield { container: container.name, message: WHAT, path, isMissing: true, fix };
        }
    },
    admission: ({ workloads }) => [
        {
            target: "serving",
            violated: cel`${matchesAny(workloads, cel`variables.name`)} && !c.?lifecycle.?preStop.hasValue()`,
            message: WHAT,
            path: "lifecycle.preStop",
        },
    ],
    remediate(pod, { workloads, seconds }) {
        const { terminationGracePeriodSeconds: grace = 30 } = pod.spec;
        // A sleep longer than the grace period is rejected; one nearly as long leaves no time to shut down.
        if (grace < 2 * seconds) return;
        for (const { spec } of listServing(pod, workloads)) {
            spec.lifecycle ??= {};
            spec.lifecycle.preStop ??= { sleep: { seconds } };
        }
    },
});

/** Lists the serving containers of a pod whose workload matches. */
function listServing(pod: Pod, workloads: readonly string[]) {
    const serving = pod.containers.filter(isServing);
    const isAny = workloads.includes("*");
    const isNamed = () => workloads.some((one) => matchesGlob(one, pod.object.name));
    return serving.length > 0 && (isAny || isNamed()) ? serving : [];
}
