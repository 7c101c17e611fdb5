import type { Finding } from "../../engine/rule.ts";
import type { KubernetesObject } from "../../kubernetes/object.ts";
import { POD_KINDS } from "../../kubernetes/pods.ts";
import {
    SCALERS,
    getMinReplicas,
    getMaxReplicas,
    getScaleTarget,
} from "../../kubernetes/scalers.ts";
import type { Stack } from "../../kubernetes/stack.ts";

/** Finds problems of a scaler: an empty range, a missing target, or a second scaler of the same target. */
export function* findTargetProblems(scaler: KubernetesObject, stack: Stack): Generator<Finding> {
    const [least, most] = [getMinReplicas(scaler), getMaxReplicas(scaler)];
    if (least.pods > most.pods) {
        const message = `has ${least.field} of ${least.pods}, above its ${most.field} of ${most.pods}`;
        yield { message, path: `spec.${most.field}`, fix: { spec: { [most.field]: least.pods } } };
    }
    if (scaler.kind !== "ScaledObject" && least.pods < 1) {
        // The API server rejects it without the alpha feature HPAScaleToZero.
        const message = `has ${least.field} of ${least.pods}; allowed only in a ScaledObject`;
        yield { message, path: `spec.${least.field}`, fix: { spec: { [least.field]: 1 } } };
    }
    const target = getScaleTarget(scaler);
    const [kind, name] = [String(target.kind), String(target.name)];
    const { namespace } = scaler;
    const path = "spec.scaleTargetRef";
    const isKnown = POD_KINDS.includes(kind) && stack.isComplete(namespace);
    if (isKnown && !stack.find(kind, namespace, name)) {
        const [other] = stack.ofKind(kind).filter((one) => one.namespace === namespace);
        const fix = { spec: { scaleTargetRef: { kind, name: other?.name ?? name } } };
        yield { message: `scales ${kind} ${namespace}/${name}, which does not exist`, path, fix };
    }
    const others = stack.ofKind(...SCALERS).filter((one) => {
        if (one === scaler || one.namespace !== namespace) return false;
        const { kind: ofKind, name: ofName } = getScaleTarget(one);
        return ofKind === target.kind && ofName === target.name;
    });
    for (const one of others) {
        const message = `scales ${kind} ${name}, which ${one.kind} ${one.name} also scales`;
        yield { message, path, fix: `# delete ${one.kind} ${one.name}, and move its metrics here` };
    }
}
