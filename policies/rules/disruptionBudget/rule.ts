import { stackRule, type Finding } from "../../engine/rule.ts";
import { asJson, type KubernetesObject } from "../../kubernetes/object.ts";
import { getPod } from "../../kubernetes/pods.ts";
import { REPLICATED_KINDS, countMinReplicas, formatReplicas } from "../../kubernetes/scalers.ts";
import type { Stack } from "../../kubernetes/stack.ts";
import { findBlockingField, findBudgets, sumMinReplicas } from "./disruption.ts";

const BUDGET = "PodDisruptionBudget";

export const disruptionBudget = stackRule({
    name: "disruption-budget",
    title: "Workloads with two or more replicas have exactly one PodDisruptionBudget, which allows at least one eviction.",
    why: "Without a budget, a drain can evict all pods at once. With a budget that allows no eviction, or with two budgets, a drain never finishes.",
    severity: "high",
    level: "mandatory",
    url: "https://kubernetes.io/docs/tasks/run-application/configure-pdb/",
    kinds: [...REPLICATED_KINDS, BUDGET],
    *check(object, stack) {
        yield* object.kind === BUDGET ? checkBudget(object, stack) : checkWorkload(object, stack);
    },
});

function* checkWorkload(object: KubernetesObject, stack: Stack): Generator<Finding> {
    const pod = getPod(object);
    if (!pod) return;
    const budgets = findBudgets(pod, stack);
    const fewest = countMinReplicas(object, stack);
    const path = `${pod.path.replace(/spec$/, "metadata")}.labels`;
    if (budgets.length === 0 && fewest >= 2) {
        const message = `has ${formatReplicas(fewest)} or more, but no ${BUDGET} selects them`;
        const { selector } = asJson(object.body.spec);
        const spec = { maxUnavailable: 1, selector: selector ?? { matchLabels: pod.labels } };
        yield {
            message,
            path,
            isMissing: true,
            fix: { apiVersion: "policy/v1", kind: BUDGET, spec },
        };
    }
    if (budgets.length > 1) {
        const names = budgets.map(({ name }) => name);
        const message = `is selected by ${budgets.length} ${BUDGET}s (${names.join(", ")}), which block every eviction`;
        yield { message, path, fix: `# delete ${BUDGET} ${names.slice(1).join(" and ")}` };
    }
}

function* checkBudget(budget: KubernetesObject, stack: Stack): Generator<Finding> {
    const { selector } = asJson(budget.body.spec);
    const pods = selector === undefined ? [] : stack.selectPods(budget.namespace, selector);
    if (selector === undefined || stack.selectsNothing(budget.namespace, selector)) {
        const fix = { spec: { selector: { matchLabels: stack.suggestLabels(budget) } } };
        yield { message: "selects no pod", path: "spec.selector", fix };
    }
    const fewest = sumMinReplicas(pods, stack);
    const blocking = findBlockingField(budget, fewest);
    if (!blocking) return;
    const ofTotal = fewest === undefined ? "" : ` of ${formatReplicas(fewest)}`;
    const message = `allows no eviction: ${blocking.field} is ${String(blocking.value)}${ofTotal}`;
    yield { message, path: `spec.${blocking.field}`, fix: { spec: { maxUnavailable: 1 } } };
}
