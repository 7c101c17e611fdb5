import { Type } from "typebox";
import { matchesGlob } from "../../cel/glob.ts";
import { stackRule, type Finding } from "../../engine/rule.ts";
import { asJson, type KubernetesObject } from "../../kubernetes/object.ts";
import { getPod } from "../../kubernetes/pods.ts";
import {
    REPLICATED_KINDS,
    SCALERS,
    isScaler,
    formatReplicas,
    getMinReplicas,
    getScaleTarget,
} from "../../kubernetes/scalers.ts";
import type { Stack } from "../../kubernetes/stack.ts";

export const replicas = stackRule({
    name: "replicas",
    title: "Workloads behind a Service have a minimum replica count, and that count has one owner (the manifest or an autoscaler).",
    why: "A single pod causes an outage whenever it or its node fails. With an autoscaler, a count in the manifest is reset by every deployment, regardless of load.",
    severity: "high",
    level: "mandatory",
    url: "https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/#migrating-deployments-and-statefulsets-to-horizontal-autoscaling",
    settings: {
        min: Type.Integer({
            default: 1,
            minimum: 0,
            description: "minimum replicas of workloads behind a Service of the stack",
        }),
        fixes: Type.Array(
            Type.Object({
                workload: Type.String({ description: "glob of workloads' names" }),
                fix: Type.String({ description: "text to propose instead of a replica count" }),
            }),
            {
                default: [],
                description: "fixes to propose for the workloads that `workload` matches",
            },
        ),
    },
    kinds: [...REPLICATED_KINDS, ...SCALERS],
    *check(object, stack, { min, fixes }) {
        const other = fixes.find(({ workload }) => matchesGlob(workload, object.name))?.fix;
        yield* isScaler(object)
            ? checkScaler(object, stack, min)
            : checkWorkload(object, stack, min, other);
    },
});

/** @param fix proposed instead of a replica count */
function* checkWorkload(
    object: KubernetesObject,
    stack: Stack,
    min: number,
    fix?: string,
): Generator<Finding> {
    const { replicas: count } = asJson(object.body.spec);
    const path = "spec.replicas";
    const [scaler] = stack.scalersFor(object);
    if (scaler) {
        if (count === undefined) return;
        const owner = `${scaler.kind} ${scaler.label}`;
        const message = `sets spec.replicas to ${Number(count)}, although ${owner} controls it`;
        yield { message, path, fix: `spec: {} # without replicas, which ${owner} controls` };
    } else if (Number(count ?? 1) < min && isBehindService(object, stack)) {
        const message = `has ${formatReplicas(Number(count ?? 1))}, fewer than ${min}`;
        const isMissing = count === undefined;
        yield { message, path, isMissing, fix: fix ?? { spec: { replicas: min } } };
    }
}

function* checkScaler(scaler: KubernetesObject, stack: Stack, min: number): Generator<Finding> {
    const { field, pods } = getMinReplicas(scaler);
    if (pods >= min) return;
    const { kind, name } = getScaleTarget(scaler);
    const target = stack.find(String(kind), scaler.namespace, String(name));
    if (!target || !isBehindService(target, stack)) return;
    const message = `lets ${target.kind} ${target.label} scale down to ${formatReplicas(pods)}, fewer than ${min}`;
    yield { message, path: `spec.${field}`, fix: { spec: { [field]: min } } };
}

function isBehindService(object: KubernetesObject, stack: Stack): boolean {
    const pod = getPod(object);
    return pod !== undefined && stack.servicesFor(pod).length > 0;
}
