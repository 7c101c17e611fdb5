import { json, type KubernetesObject } from "../../kubernetes/object.ts";
import type { Pod } from "../../kubernetes/pods.ts";
import { REPLICATED, fewestOf } from "../../kubernetes/scalers.ts";
import { matches, type Stack } from "../../kubernetes/stack.ts";

export function budgetsOf({ object, labels }: Pod, stack: Stack): KubernetesObject[] {
    return stack.of("PodDisruptionBudget").filter(({ namespace, body }) => {
        const { selector } = json(body.spec);
        return (
            namespace === object.namespace && selector !== undefined && matches(selector, labels)
        );
    });
}

/**
 * How many pods a budget is about at the least; not where some are of what has no number of pods, or of what
 * may have none.
 */
export function fewestTogether(pods: readonly Pod[], stack: Stack): number | undefined {
    const workloads = new Set(pods.map(({ object }) => object));
    let sum = 0;
    for (const workload of workloads) {
        if (!REPLICATED.some((kind) => kind === workload.kind)) return undefined;
        sum += fewestOf(workload, stack);
    }
    return sum > 0 ? sum : undefined;
}

/**
 * What of a budget lets no pod go. A percentage is rounded up, of those that have to stay and of those that
 * may go alike (https://kubernetes.io/docs/tasks/run-application/configure-pdb/#rounding-logic-when-specifying-percentages).
 */
export function blockingOf(
    { body }: KubernetesObject,
    pods: number | undefined,
): { field: string; value: unknown } | undefined {
    const { maxUnavailable, minAvailable } = json(body.spec);
    // A percentage is nothing, or everything, of any number alike.
    const of = pods ?? 100;
    if (maxUnavailable !== undefined) {
        const none = shareOf(maxUnavailable, of) <= 0;
        return none ? { field: "maxUnavailable", value: maxUnavailable } : undefined;
    }
    if (minAvailable === undefined) return undefined;
    if (pods === undefined && typeof minAvailable === "number") return undefined;
    const all = shareOf(minAvailable, of) >= of;
    return all ? { field: "minAvailable", value: minAvailable } : undefined;
}

function shareOf(value: unknown, pods: number): number {
    const { percent } = /^(?<percent>\d+)%$/.exec(String(value))?.groups ?? {};
    return percent === undefined ? Number(value) : Math.ceil((Number(percent) * pods) / 100);
}
