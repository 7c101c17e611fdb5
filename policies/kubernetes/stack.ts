import { asJson, asList, type Json, type KubernetesObject } from "./object.ts";
import { getPod, type Pod } from "./pods.ts";
import { SCALERS, getScaleTarget } from "./scalers.ts";
import { getSelector } from "./services.ts";

/** All objects of a stack, with queries by kind, name and selector. */
export class Stack {
    readonly objects: readonly KubernetesObject[];

    constructor(objects: readonly KubernetesObject[]) {
        this.objects = objects;
    }

    /** Read lazily, since an unknown value throws. Patches describe other owners' pods and are excluded. */
    get pods(): Pod[] {
        return this.objects.flatMap((object) => (object.isPatch ? [] : (getPod(object) ?? [])));
    }

    /**
     * @returns whether all pods and Services of a namespace are known, so that a reference to another one is an
     *   error: the stack has workloads there, and no custom resources for which an operator may create more.
     */
    isComplete(namespace: string): boolean {
        if (namespace.startsWith("kube-")) return false;
        const inside = this.objects.filter((one) => !one.isPatch && one.namespace === namespace);
        return inside.some((one) => getPod(one)) && !inside.some(mayCreateOthers);
    }

    ofKind(...kinds: readonly string[]): KubernetesObject[] {
        return this.objects.filter(({ kind }) => kinds.includes(kind));
    }

    find(kind: string, namespace: string, name: string): KubernetesObject | undefined {
        return this.ofKind(kind).find((one) => one.namespace === namespace && one.name === name);
    }

    /** @returns the pods of a namespace that a label selector matches; an empty selector matches all. */
    selectPods(namespace: string, selector: unknown): Pod[] {
        return this.pods.filter(
            (pod) => pod.object.namespace === namespace && matchesSelector(selector, pod.labels),
        );
    }

    /** @returns whether a selector matches no pod of a namespace, as far as the stack is known. */
    selectsNothing(namespace: string, selector: unknown): boolean {
        if (!this.isComplete(namespace)) return false;
        return !this.pods.some(
            ({ object, labels }) => object.namespace === namespace && maySelect(selector, labels),
        );
    }

    /** @returns the Services that select a pod. */
    servicesFor({ object, labels }: Pod): KubernetesObject[] {
        return this.ofKind("Service").filter((service) => {
            if (service.namespace !== object.namespace) return false;
            const matchLabels = getSelector(service);
            return matchLabels !== undefined && matchesSelector({ matchLabels }, labels);
        });
    }

    /** Suggests labels for an object that selects no pod: those of the workload with its name, or of the first one. */
    suggestLabels({ namespace, name }: KubernetesObject): Readonly<Record<string, string>> {
        const pods = this.selectPods(namespace, {});
        return (pods.find(({ object }) => object.name === name) ?? pods[0])?.labels ?? {};
    }

    /** @returns the HorizontalPodAutoscalers and ScaledObjects of a workload. */
    scalersFor({ kind, name, namespace }: KubernetesObject): KubernetesObject[] {
        return this.ofKind(...SCALERS).filter((scaler) => {
            const target = getScaleTarget(scaler);
            return scaler.namespace === namespace && target.name === name && target.kind === kind;
        });
    }
}

/**
 * @returns whether a label selector matches labels: `matchLabels` and `matchExpressions` together
 * (https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#resources-that-support-set-based-requirements).
 */
export function matchesSelector(
    selector: unknown,
    labels: Readonly<Record<string, string>>,
): boolean {
    const { matchLabels, matchExpressions } = asJson(selector);
    const equal = Object.entries(asJson(matchLabels)).every(
        ([key, value]) => labels[key] === value,
    );
    return equal && asList(matchExpressions).every((expression) => satisfies(expression, labels));
}

/** Labels that Kubernetes itself sets on pods. */
const SYSTEM_LABELS =
    /^((statefulset|apps|batch)\.kubernetes\.io\/.+|(rollouts-)?pod-template-hash|controller-revision-hash|job-name)$/;

/** Labels with another domain belong to an operator, for the pods of its custom resources. */
const OPERATOR_LABELS = /^(?!app\.kubernetes\.io\/)[^/]+\.[^/]+\//;

/**
 * @returns whether a selector may match pods with these labels and others that a controller, an operator or the pods
 *   themselves add at run time, such as a leader label. Labels in the template have to match.
 */
function maySelect(selector: unknown, labels: Readonly<Record<string, string>>): boolean {
    if (matchesSelector(selector, labels)) return true;
    const { matchLabels, matchExpressions } = asJson(selector);
    const isInTemplate = (key: string) => key in labels;
    const equal = Object.entries(asJson(matchLabels)).filter(([key]) => isInTemplate(key));
    const expressions = asList(matchExpressions).filter(({ key }) => isInTemplate(String(key)));
    const isSetAtRuntime = Object.keys(asJson(matchLabels)).some(
        (key) => SYSTEM_LABELS.test(key) || (OPERATOR_LABELS.test(key) && !isInTemplate(key)),
    );
    return (
        (isSetAtRuntime || equal.length + expressions.length > 0) &&
        equal.every(([key, value]) => labels[key] === value) &&
        expressions.every((expression) => satisfies(expression, labels))
    );
}

/** Custom resources for which no pods or Services are created; other kinds are unknown. */
const INERT_KINDS: Readonly<Record<string, RegExp>> = {
    "argoproj.io": /^(Rollout|AnalysisTemplate)$/,
    "keda.sh": /^(ScaledObject|TriggerAuthentication)$/,
    "monitoring.coreos.com":
        /^(ServiceMonitor|PodMonitor|Probe|ScrapeConfig|PrometheusRule|AlertmanagerConfig)$/,
    "traefik.io": /./,
};

function mayCreateOthers({ apiVersion, kind }: KubernetesObject): boolean {
    const [group = ""] = apiVersion.split("/");
    // Some implementations run a Gateway's proxy in its namespace.
    if (group === "gateway.networking.k8s.io") return kind === "Gateway";
    const isOfKubernetes = !group.includes(".") || group.endsWith(".k8s.io");
    return !isOfKubernetes && !INERT_KINDS[group]?.test(kind);
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
