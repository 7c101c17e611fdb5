import { Type } from "typebox";
import { stackRule, type Finding } from "../../engine/rule.ts";
import { json, type KubernetesObject } from "../../kubernetes/object.ts";
import { podOf } from "../../kubernetes/pods.ts";
import { deadPortsOf, selectorOf } from "../../kubernetes/services.ts";
import { matches, type Stack } from "../../kubernetes/stack.ts";

const SELECTING = ["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Rollout"];

export const serviceSelector = stackRule({
    name: "service-selector",
    title: "Services select existing pods and ports, and a workload's selector matches its own pods.",
    why: "The API server accepts a Service without endpoints, but every connection to it fails.",
    severity: "critical",
    level: "mandatory",
    url: "https://kubernetes.io/docs/concepts/services-networking/service/#defining-a-service",
    settings: {
        requireDeclaredPorts: Type.Boolean({
            default: false,
            description: "whether numeric target ports must be declared by a container",
        }),
    },
    kinds: ["Service", ...SELECTING],
    *check(object, stack, { requireDeclaredPorts }) {
        yield* object.kind === "Service" ? ofService(object, stack, requireDeclaredPorts) : ofWorkload(object);
    },
});

function* ofService(
    service: KubernetesObject,
    stack: Stack,
    requireDeclaredPorts: boolean,
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
    for (const { index, port, target, has } of deadPortsOf(service, pods, requireDeclaredPorts)) {
        const what = `forwards port ${String(port)} to ${String(target)}, which none of its pods' containers has; available: ${has.join(", ") || "none"}`;
        const fix = { spec: { ports: [{ port, targetPort: has[0] ?? port }] } };
        yield { what, at: `spec.ports[${index}].targetPort`, fix };
    }
}

function* ofWorkload(object: KubernetesObject): Generator<Finding> {
    const { selector } = json(object.body.spec);
    const pod = podOf(object);
    if (!pod || selector === undefined || matches(selector, pod.labels)) return;
    const fix = { spec: { selector: { matchLabels: pod.labels } } };
    yield { what: "has a selector that does not match its own pods", at: "spec.selector", fix };
}
