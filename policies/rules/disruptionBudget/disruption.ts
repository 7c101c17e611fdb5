import { asJson, type KubernetesObject } from "../../kubernetes/object.ts";
import type { Pod } from "../../kubernetes/pods.ts";
import { REPLICATED_KINDS, countMinReplicas } from "../../kubernetes/scalers.ts";
import { matchesSelector, type Stack } from "../../kubernetes/stack.ts";

export function findBudgets({ object, labels }: Pod, stack: Stack): KubernetesObject[] {
    return stack.ofKind("PodDisruptionBudget").filter(({ namespace, body }) => {
        const { selector } = asJson(body.spec);
        return (
            namespace === object.namespace &&
            selector !== undefined &&
            matchesSelector(selector, labels)
        );
    });
}

/**
 * @returns the minimum number of pods that a budget covers; undefined if a workload has no replica count or may
 *   scale to zero.
 */
export function sumMinReplicas(pods: readonly Pod[], stack: Stack): number | undefined {
    const workloads = new Set(pods.map(({ object }) => object));
    let sum = 0;
    for (const workload of workloads) {
        if (!REPLICATED_KINDS.some((kind) => kind === workload.kind)) return undefined;
        sum += countMinReplicas(workload, stack);
    }
    return sum > 0 ? sum : undefined;
}

/**
 * @returns the field of a budget that blocks every eviction. Kubernetes rounds percentages up
 *   (https://kubernetes.io/docs/tasks/run-application/configure-pdb/#rounding-logic-when-specifying-percentages).
 */
export function findBlockingField(
    { body }: KubernetesObject,
    pods: number | undefined,
): { field: string; value: unknown } | undefined {
    const { maxUnavailable, minAvailable } = asJson(body.spec);
    // For an unknown count only 0 % and 100 % matter, which are the same for any number.
    const total = pods ?? 100;
    if (maxUnavailable !== undefined) {
        const none = toPodCount(maxUnavailable, total) <= 0;
        return none ? { field: "maxUnavailable", value: maxUnavailable } : undefined;
    }
    if (minAvailable === undefined) return undefined;
    if (pods === undefined && typeof minAvailable === "number") return undefined;
    const all = toPodCount(minAvailable, total) >= total;
    return all ? { field: "minAvailable", value: minAvailable } : undefined;
}

function toPodCount(value: unknown, pods: number): number {
    const { percent } = /^(?<percent>\d+)%$/.exec(String(value))?.groups ?? {};
    return percent === undefined ? Number(value) : Math.ceil((Number(percent) * pods) / 100);
}
