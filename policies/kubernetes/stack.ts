import { json, list, type Json, type KubernetesObject } from "./object.ts";
import { podOf, type Pod } from "./pods.ts";
import { SCALERS, targetOf } from "./scalers.ts";
import { selectorOf } from "./services.ts";

/** All objects of a stack, with queries by kind, name and selector. */
export class Stack {
    readonly objects: readonly KubernetesObject[];

    constructor(objects: readonly KubernetesObject[]) {
        this.objects = objects;
    }

    /** Read lazily, since an unknown value throws. Patches describe other owners' pods and are excluded. */
    get pods(): Pod[] {
        return this.objects.flatMap((object) => (object.isPatch ? [] : (podOf(object) ?? [])));
    }

    /**
     * @returns whether all pods and Services of a namespace are known, so that a reference to another one is an
     *   error: the stack has workloads there, and no custom resources for which an operator may create more.
     */
    isWhole(namespace: string): boolean {
        if (namespace.startsWith("kube-")) return false;
        const inside = this.objects.filter((one) => !one.isPatch && one.namespace === namespace);
        return inside.some((one) => podOf(one)) && !inside.some(mayMakeOthers);
    }

    of(...kinds: readonly string[]): KubernetesObject[] {
        return this.objects.filter(({ kind }) => kinds.includes(kind));
    }

    find(kind: string, namespace: string, name: string): KubernetesObject | undefined {
        return this.of(kind).find((one) => one.namespace === namespace && one.name === name);
    }

    /** @returns the pods of a namespace that a label selector matches; an empty selector matches all. */
    selected(namespace: string, selector: unknown): Pod[] {
        return this.pods.filter(
            (pod) => pod.object.namespace === namespace && matches(selector, pod.labels),
        );
    }

    /** @returns whether a selector matches no pod of a namespace, as far as the stack is known. */
    isLost(namespace: string, selector: unknown): boolean {
        if (!this.isWhole(namespace)) return false;
        return !this.pods.some(
            ({ object, labels }) => object.namespace === namespace && mayTake(selector, labels),
        );
    }

    /** @returns the Services that select a pod. */
    servicesOf({ object, labels }: Pod): KubernetesObject[] {
        return this.of("Service").filter((service) => {
            if (service.namespace !== object.namespace) return false;
            const matchLabels = selectorOf(service);
            return matchLabels !== undefined && matches({ matchLabels }, labels);
        });
    }

    /** Suggests labels for an object that selects no pod: those of the workload with its name, or of the first one. */
    labelsFor({ namespace, name }: KubernetesObject): Readonly<Record<string, string>> {
        const pods = this.selected(namespace, {});
        return (pods.find(({ object }) => object.name === name) ?? pods[0])?.labels ?? {};
    }

    /** @returns the HorizontalPodAutoscalers and ScaledObjects of a workload. */
    scalersOf({ kind, name, namespace }: KubernetesObject): KubernetesObject[] {
        return this.of(...SCALERS).filter((scaler) => {
            const target = targetOf(scaler);
            return scaler.namespace === namespace && target.name === name && target.kind === kind;
        });
    }
}

/**
 * @returns whether a label selector matches labels: `matchLabels` and `matchExpressions` together
 * (https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#resources-that-support-set-based-requirements).
 */
export function matches(selector: unknown, labels: Readonly<Record<string, string>>): boolean {
    const { matchLabels, matchExpressions } = json(selector);
    const equal = Object.entries(json(matchLabels)).every(([key, value]) => labels[key] === value);
    return equal && list(matchExpressions).every((expression) => satisfies(expression, labels));
}

/** Labels that Kubernetes itself sets on pods. */
const GIVEN =
    /^((statefulset|apps|batch)\.kubernetes\.io\/.+|(rollouts-)?pod-template-hash|controller-revision-hash|job-name)$/;

/** Labels with another domain belong to an operator, for the pods of its custom resources. */
const FOREIGN = /^(?!app\.kubernetes\.io\/)[^/]+\.[^/]+\//;

/**
 * @returns whether a selector may match pods with these labels and others that a controller, an operator or the pods
 *   themselves add at run time, such as a leader label. Labels in the template have to match.
 */
function mayTake(selector: unknown, labels: Readonly<Record<string, string>>): boolean {
    if (matches(selector, labels)) return true;
    const { matchLabels, matchExpressions } = json(selector);
    const isSaid = (key: string) => key in labels;
    const equal = Object.entries(json(matchLabels)).filter(([key]) => isSaid(key));
    const expressions = list(matchExpressions).filter(({ key }) => isSaid(String(key)));
    const isGiven = Object.keys(json(matchLabels)).some(
        (key) => GIVEN.test(key) || (FOREIGN.test(key) && !isSaid(key)),
    );
    return (
        (isGiven || equal.length + expressions.length > 0) &&
        equal.every(([key, value]) => labels[key] === value) &&
        expressions.every((expression) => satisfies(expression, labels))
    );
}

/** Custom resources for which no pods or Services are created; other kinds are unknown. */
const INERT: Readonly<Record<string, RegExp>> = {
    "argoproj.io": /^(Rollout|AnalysisTemplate)$/,
    "keda.sh": /^(ScaledObject|TriggerAuthentication)$/,
    "monitoring.coreos.com":
        /^(ServiceMonitor|PodMonitor|Probe|ScrapeConfig|PrometheusRule|AlertmanagerConfig)$/,
    "traefik.io": /./,
};

function mayMakeOthers({ apiVersion, kind }: KubernetesObject): boolean {
    const [group = ""] = apiVersion.split("/");
    // Some implementations run a Gateway's proxy in its namespace.
    if (group === "gateway.networking.k8s.io") return kind === "Gateway";
    const isOfKubernetes = !group.includes(".") || group.endsWith(".k8s.io");
    return !isOfKubernetes && !INERT[group]?.test(kind);
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
