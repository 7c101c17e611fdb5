import { stackRule, type Finding } from "../../engine/rule.ts";
import { json, type KubernetesObject } from "../../kubernetes/object.ts";
import { podOf } from "../../kubernetes/pods.ts";
import { REPLICATED, fewestOf, inReplicas } from "../../kubernetes/scalers.ts";
import type { Stack } from "../../kubernetes/stack.ts";
import { blockingOf, budgetsOf, fewestTogether } from "./disruption.ts";

const BUDGET = "PodDisruptionBudget";

export const disruptionBudget = stackRule({
    name: "disruption-budget",
    title: "Workloads with two or more replicas have exactly one PodDisruptionBudget, which allows at least one eviction.",
    why: "Without a budget, a drain can evict all pods at once. With a budget that allows no eviction, or with two budgets, a drain never finishes.",
    severity: "high",
    level: "mandatory",
    url: "https://kubernetes.io/docs/tasks/run-application/configure-pdb/",
    kinds: [...REPLICATED, BUDGET],
    *check(object, stack) {
        yield* object.kind === BUDGET ? ofBudget(object, stack) : ofWorkload(object, stack);
    },
});

function* ofWorkload(object: KubernetesObject, stack: Stack): Generator<Finding> {
    const pod = podOf(object);
    if (!pod) return;
    const budgets = budgetsOf(pod, stack);
    const fewest = fewestOf(object, stack);
    const at = `${pod.path.replace(/spec$/, "metadata")}.labels`;
    if (budgets.length === 0 && fewest >= 2) {
        const what = `has ${inReplicas(fewest)} or more, but no ${BUDGET} selects them`;
        const { selector } = json(object.body.spec);
        const spec = { maxUnavailable: 1, selector: selector ?? { matchLabels: pod.labels } };
        yield { what, at, isMissing: true, fix: { apiVersion: "policy/v1", kind: BUDGET, spec } };
    }
    if (budgets.length > 1) {
        const names = budgets.map(({ name }) => name);
        const what = `is selected by ${budgets.length} ${BUDGET}s (${names.join(", ")}), which block every eviction`;
        yield { what, at, fix: `# delete ${BUDGET} ${names.slice(1).join(" and ")}` };
    }
}

function* ofBudget(budget: KubernetesObject, stack: Stack): Generator<Finding> {
    const { selector } = json(budget.body.spec);
    const pods = selector === undefined ? [] : stack.selected(budget.namespace, selector);
    if (selector === undefined || stack.isLost(budget.namespace, selector)) {
        const fix = { spec: { selector: { matchLabels: stack.labelsFor(budget) } } };
        yield { what: "selects no pod", at: "spec.selector", fix };
    }
    const fewest = fewestTogether(pods, stack);
    const blocking = blockingOf(budget, fewest);
    if (!blocking) return;
    const ofTotal = fewest === undefined ? "" : ` of ${inReplicas(fewest)}`;
    const what = `allows no eviction: ${blocking.field} is ${String(blocking.value)}${ofTotal}`;
    yield { what, at: `spec.${blocking.field}`, fix: { spec: { maxUnavailable: 1 } } };
}
