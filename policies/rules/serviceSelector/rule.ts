import { Type } from "typebox";
import { stackRule, type Finding } from "../../engine/rule.ts";
import { asJson, type KubernetesObject } from "../../kubernetes/object.ts";
import { getPod } from "../../kubernetes/pods.ts";
import { findDeadPorts, getSelector } from "../../kubernetes/services.ts";
import { matchesSelector, type Stack } from "../../kubernetes/stack.ts";

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
        yield* object.kind === "Service"
            ? checkService(object, stack, requireDeclaredPorts)
            : checkWorkload(object);
    },
});

function* checkService(
    service: KubernetesObject,
    stack: Stack,
    requireDeclaredPorts: boolean,
): Generator<Finding> {
    const matchLabels = getSelector(service);
    if (matchLabels === undefined) return;
    const { namespace } = service;
    const pods = stack.selectPods(namespace, { matchLabels });
    if (pods.length === 0) {
        if (!stack.selectsNothing(namespace, { matchLabels })) return;
        const fix = { spec: { selector: stack.suggestLabels(service) } };
        yield { message: "selects no pod", path: "spec.selector", fix };
        return;
    }
    for (const { index, port, target, available } of findDeadPorts(
        service,
        pods,
        requireDeclaredPorts,
    )) {
        const message = `forwards port ${String(port)} to ${String(target)}, which none of its pods' containers has; available: ${available.join(", ") || "none"}`;
        const fix = { spec: { ports: [{ port, targetPort: available[0] ?? port }] } };
        yield { message, path: `spec.ports[${index}].targetPort`, fix };
    }
}

function* checkWorkload(object: KubernetesObject): Generator<Finding> {
    const { selector } = asJson(object.body.spec);
    const pod = getPod(object);
    if (!pod || selector === undefined || matchesSelector(selector, pod.labels)) return;
    const fix = { spec: { selector: { matchLabels: pod.labels } } };
    yield {
        message: "has a selector that does not match its own pods",
        path: "spec.selector",
        fix,
    };
}
