import type { Finding } from "../../engine/rule.ts";
import type { KubernetesObject } from "../../kubernetes/object.ts";
import { POD_KINDS } from "../../kubernetes/pods.ts";
import { SCALERS, leastOf, mostOf, targetOf } from "../../kubernetes/scalers.ts";
import type { Stack } from "../../kubernetes/stack.ts";

/** Why a scaler cannot do its work: it has no room, nothing to scale, or another beside it. */
export function* hindrances(scaler: KubernetesObject, stack: Stack): Generator<Finding> {
    const [least, most] = [leastOf(scaler), mostOf(scaler)];
    if (least.pods > most.pods) {
        const what = `has ${least.field} of ${least.pods}, above its ${most.field} of ${most.pods}`;
        yield { what, at: `spec.${most.field}`, fix: { spec: { [most.field]: least.pods } } };
    }
    if (scaler.kind !== "ScaledObject" && least.pods < 1) {
        // An alpha feature of Kubernetes (HPAScaleToZero); the API server refuses it otherwise.
        const what = `has ${least.field} of ${least.pods}, which only a ScaledObject may have`;
        yield { what, at: `spec.${least.field}`, fix: { spec: { [least.field]: 1 } } };
    }
    const target = targetOf(scaler);
    const [kind, name] = [String(target.kind), String(target.name)];
    const { namespace } = scaler;
    const at = "spec.scaleTargetRef";
    const isKnown = POD_KINDS.includes(kind) && stack.isWhole(namespace);
    if (isKnown && !stack.find(kind, namespace, name)) {
        const [other] = stack.of(kind).filter((one) => one.namespace === namespace);
        const fix = { spec: { scaleTargetRef: { kind, name: other?.name ?? name } } };
        yield { what: `scales ${kind} ${namespace}/${name}, which is not there`, at, fix };
    }
    const others = stack.of(...SCALERS).filter((one) => {
        if (one === scaler || one.namespace !== namespace) return false;
        const { kind: ofKind, name: ofName } = targetOf(one);
        return ofKind === target.kind && ofName === target.name;
    });
    for (const one of others) {
        const what = `scales ${kind} ${name}, which ${one.kind} ${one.name} scales too`;
        yield { what, at, fix: `# without ${one.kind} ${one.name}, or with what it asks for here` };
    }
}
