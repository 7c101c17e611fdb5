import { json, list, type Json, type KubernetesObject } from "./object.ts";
import { podOf, type Pod } from "./pods.ts";

/** All objects of a stack, and how they find each other. */
export class Stack {
    readonly objects: readonly KubernetesObject[];

    constructor(objects: readonly KubernetesObject[]) {
        this.objects = objects;
    }

    /** Read where they are asked for, since what is unknown in one of them throws. */
    get pods(): Pod[] {
        return this.objects.flatMap((object) => podOf(object) ?? []);
    }

    of(...kinds: readonly string[]): KubernetesObject[] {
        return this.objects.filter(({ kind }) => kinds.includes(kind));
    }

    find(kind: string, namespace: string, name: string): KubernetesObject | undefined {
        return this.of(kind).find((one) => one.namespace === namespace && one.name === name);
    }

    /** Pods of a namespace that a selector of labels takes; an empty selector takes all. */
    selected(namespace: string, selector: unknown): Pod[] {
        return this.pods.filter(
            (pod) => pod.object.namespace === namespace && matches(selector, pod.labels),
        );
    }

    /** What scales an object: HorizontalPodAutoscalers and KEDA's ScaledObjects. */
    scalersOf({ kind, name, namespace }: KubernetesObject): KubernetesObject[] {
        return this.of("HorizontalPodAutoscaler", "ScaledObject").filter((scaler) => {
            const target = json(json(scaler.body.spec).scaleTargetRef);
            // KEDA's default (https://keda.sh/docs/latest/reference/scaledobject-spec/).
            const { kind: of = "Deployment" } = target;
            return scaler.namespace === namespace && target.name === name && of === kind;
        });
    }
}

/**
 * Whether a label selector takes these labels: `matchLabels` and `matchExpressions` together
 * (https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#resources-that-support-set-based-requirements).
 */
export function matches(selector: unknown, labels: Readonly<Record<string, string>>): boolean {
    const { matchLabels, matchExpressions } = json(selector);
    const equal = Object.entries(json(matchLabels)).every(([key, value]) => labels[key] === value);
    return equal && list(matchExpressions).every((expression) => satisfies(expression, labels));
}

function satisfies({ key, operator, values }: Json, labels: Readonly<Record<string, string>>) {
    const value = labels[String(key)];
    const among = Array.isArray(values) && values.includes(value);
    switch (operator) {
        case "In":
            return among;
        case "NotIn":
            return !among;
        case "Exists":
            return value !== undefined;
        case "DoesNotExist":
            return value === undefined;
        default:
            return false;
    }
}
