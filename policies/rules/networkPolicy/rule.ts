import { Type } from "typebox";
import { stackRule, type Finding } from "../../engine/rule.ts";
import { asJson, type KubernetesObject } from "../../kubernetes/object.ts";
import { POD_KINDS, getPod } from "../../kubernetes/pods.ts";
import type { Stack } from "../../kubernetes/stack.ts";
import * as network from "./networkPolicies.ts";

export const networkPolicy = stackRule({
    name: "network-policy",
    title: "Network policies select existing pods, allow DNS to pods with egress and, if required, deny all other traffic.",
    why: "Otherwise a compromised pod reaches all others, or a pod that may connect to its cache cannot resolve its name.",
    severity: "high",
    level: "mandatory",
    url: "https://kubernetes.io/docs/concepts/services-networking/network-policies/#default-policies",
    settings: {
        defaultDeny: Type.Boolean({
            default: false,
            description:
                "whether namespaces need a default-deny policy and pods a policy that allows traffic",
        }),
        dnsPorts: Type.Array(Type.Union([Type.Integer(), Type.String()]), {
            default: [53, 5353, "dns", "dns-tcp"],
            description: "ports of the DNS pods, one of which must be allowed",
        }),
    },
    kinds: ["Namespace", "NetworkPolicy", ...POD_KINDS],
    *check(object, stack, { defaultDeny, dnsPorts }) {
        if (object.kind === "NetworkPolicy") return yield* checkPolicy(object, stack);
        if (object.kind === "Namespace" && defaultDeny) return yield* checkNamespace(object, stack);
        const pod = getPod(object);
        if (!pod || pod.spec.hostNetwork === true) return;
        const path = pod.path;
        const policies = network.policiesFor(pod, stack);
        if (defaultDeny && !network.allowAnyTraffic(policies)) {
            const message = "has no NetworkPolicy that allows any traffic";
            yield { message, path, isMissing: true, fix: { spec: network.ALLOW_DNS } };
        }
        const protocols = network.findBlockedDnsProtocols(policies, dnsPorts).join(" and ");
        if (protocols === "") return;
        const message = `may connect to other pods but cannot resolve names: no egress to port ${dnsPorts.join(" or ")} over ${protocols}`;
        yield { message, path, fix: { spec: network.ALLOW_DNS } };
    },
});

function* checkPolicy(policy: KubernetesObject, stack: Stack): Generator<Finding, void> {
    if (!stack.selectsNothing(policy.namespace, asJson(policy.body.spec).podSelector)) return;
    const fix = { spec: { podSelector: { matchLabels: stack.suggestLabels(policy) } } };
    yield { message: "selects no pod", path: "spec.podSelector", fix };
}

/** Checks namespaces that contain pods or network policies of the stack. */
function* checkNamespace({ name }: KubernetesObject, stack: Stack): Generator<Finding, void> {
    const policies = stack.ofKind("NetworkPolicy").filter(({ namespace }) => namespace === name);
    if (policies.length === 0 && stack.selectPods(name, {}).length === 0) return;
    const open = network.findOpenDirections(policies);
    if (open.length === 0) return;
    const message = `has no NetworkPolicy that denies ${open.join(" and ")} for all pods`;
    yield { message, path: "metadata.name", isMissing: true, fix: network.DEFAULT_DENY };
}
