import { Type } from "typebox";
import { stackRule, type Finding } from "../../engine/rule.ts";
import { json, type KubernetesObject } from "../../kubernetes/object.ts";
import { podOf } from "../../kubernetes/pods.ts";
import { deadPortsOf, selectorOf } from "../../kubernetes/services.ts";
import { matches, type Stack } from "../../kubernetes/stack.ts";

const SELECTING = ["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Rollout"];

export const serviceSelector = stackRule({
    name: "service-selector",
    title: "A Service leads to pods and to a port of theirs, and a workload's selector takes its own pods.",
    why: "A Service that leads nowhere is accepted, and refuses every connection.",
    severity: "critical",
    level: "mandatory",
    url: "https://kubernetes.io/docs/concepts/services-networking/service/#defining-a-service",
    settings: {
        declared: Type.Boolean({
            default: false,
            description: "whether ports that a Service gives by number have to be declared too",
        }),
    },
    kinds: ["Service", ...SELECTING],
    *check(object, stack, { declared }) {
        yield* object.kind === "Service" ? ofService(object, stack, declared) : ofWorkload(object);
    },
});

function* ofService(
    service: KubernetesObject,
    stack: Stack,
    declared: boolean,
): Generator<Finding> {
    const matchLabels = selectorOf(service);
    if (matchLabels === undefined) return;
    const { namespace } = service;
    const pods = stack.selected(namespace, { matchLabels });
    if (pods.length === 0) {
        if (!stack.isLost(namespace, { matchLabels })) return;
        const fix = { spec: { selector: stack.labelsFor(service) } };
        yield { what: "selects no pod", at: "spec.selector", fix };
        return;
    }
    for (const { index, port, target, has } of deadPortsOf(service, pods, declared)) {
        const what = `leads port ${String(port)} to ${String(target)}, which no container of its pods has; they have ${has.join(", ") || "none"}`;
        const fix = { spec: { ports: [{ port, targetPort: has[0] ?? port }] } };
        yield { what, at: `spec.ports[${index}].targetPort`, fix };
    }
}

function* ofWorkload(object: KubernetesObject): Generator<Finding> {
    const { selector } = json(object.body.spec);
    const pod = podOf(object);
    if (!pod || selector === undefined || matches(selector, pod.labels)) return;
    const fix = { spec: { selector: { matchLabels: pod.labels } } };
    yield { what: "has a selector that does not take its own pods", at: "spec.selector", fix };
}
