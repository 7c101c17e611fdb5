import { Type } from "typebox";
import { DEFAULT_GRACE } from "../core/lifecycle.ts";
import { isServing, type Container } from "../core/pods.ts";
import { containerRule } from "../core/rule.ts";

const WHAT = "has ports and no preStop";
/** Seconds that have to be left for the end itself, where a pause is added. */
const LEFT = 10;

export const preStop = containerRule({
    name: "pre-stop",
    title: "What serves behind a Service pauses before it ends.",
    why: "Proxies learn of a pod's end a moment after it was told to end; what ends at once refuses the requests of that moment.",
    severity: "medium",
    // Whoever can do without some requests, or goes on serving after SIGTERM, needs none.
    level: "advisory",
    url: "https://kubernetes.io/docs/concepts/containers/container-lifecycle-hooks/",
    settings: {
        kinds: Type.Array(Type.String(), {
            default: ["Deployment", "ReplicaSet", "Rollout"],
            description:
                "kinds that it is asked of; clients of a StatefulSet know its pods, those of a DaemonSet their node's",
        }),
        seconds: Type.Integer({
            default: 5,
            minimum: 1,
            maximum: DEFAULT_GRACE - LEFT,
            description: "length of the pause that the remedy sets",
        }),
    },
    *check(container, { kinds, seconds }) {
        if (!lacks(container, kinds)) return;
        const fix = { lifecycle: { preStop: { sleep: { seconds } } } };
        yield { what: WHAT, at: "lifecycle.preStop", isMissing: true, fix };
    },
    remedy(pod, { kinds, seconds }) {
        const { terminationGracePeriodSeconds: grace = DEFAULT_GRACE } = pod.spec;
        // Within less time the pause would take what the end itself needs; the API server refuses it within none.
        if (grace < seconds + LEFT) return;
        for (const container of pod.containers.filter((one) => lacks(one, kinds))) {
            const { spec } = container;
            spec.lifecycle = { ...spec.lifecycle, preStop: { sleep: { seconds } } };
        }
    },
    admission: {
        of: "serving",
        violated:
            "object.kind in settings.kinds && pod.containers.exists(one, one.name == c.name) && (!has(c.lifecycle) || !has(c.lifecycle.preStop))",
        what: WHAT,
        at: "lifecycle.preStop",
    },
});

/** Sidecars end after the others anyway. */
function lacks(container: Container, kinds: readonly string[]): boolean {
    if (!kinds.includes(container.pod.object.kind) || container.role !== "main") return false;
    return isServing(container) && !container.spec.lifecycle?.preStop;
}
