import { json, list, type Json, type KubernetesObject } from "./object.ts";
import { podOf, type Pod } from "./pods.ts";
import { SCALERS, targetOf } from "./scalers.ts";
import { selectorOf } from "./services.ts";

/** All objects of a stack, and how they find each other. */
export class Stack {
    readonly objects: readonly KubernetesObject[];

    constructor(objects: readonly KubernetesObject[]) {
        this.objects = objects;
    }

    /** Read where they are asked for, since what is unknown in one of them throws. A Patch is of others' pods. */
    get pods(): Pod[] {
        return this.objects.flatMap((object) => (object.isPatch ? [] : (podOf(object) ?? [])));
    }

    /**
     * Whether all pods and Services of a namespace are known, so that a name or a label that none of them has
     * is wrong, rather than of something that the stack does not show: some of its workloads are in the stack,
     * and nothing that may make others, as an operator does of its custom resources.
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

    /** Pods of a namespace that a selector of labels takes; an empty selector takes all. */
    selected(namespace: string, selector: unknown): Pod[] {
        return this.pods.filter(
            (pod) => pod.object.namespace === namespace && matches(selector, pod.labels),
        );
    }

    /** Whether a selector takes no pod of a namespace, as far as anybody can see. */
    isLost(namespace: string, selector: unknown): boolean {
        if (!this.isWhole(namespace)) return false;
        return !this.pods.some(
            ({ object, labels }) => object.namespace === namespace && mayTake(selector, labels),
        );
    }

    /** Services that lead to a pod. */
    servicesOf({ object, labels }: Pod): KubernetesObject[] {
        return this.of("Service").filter((service) => {
            if (service.namespace !== object.namespace) return false;
            const matchLabels = selectorOf(service);
            return matchLabels !== undefined && matches({ matchLabels }, labels);
        });
    }

    /** Labels that an object which selects no pod may have meant: of the workload of its name, or of the first. */
    labelsFor({ namespace, name }: KubernetesObject): Readonly<Record<string, string>> {
        const pods = this.selected(namespace, {});
        return (pods.find(({ object }) => object.name === name) ?? pods[0])?.labels ?? {};
    }

    /** What scales an object: HorizontalPodAutoscalers and KEDA's ScaledObjects. */
    scalersOf({ kind, name, namespace }: KubernetesObject): KubernetesObject[] {
        return this.of(...SCALERS).filter((scaler) => {
            const target = targetOf(scaler);
            return scaler.namespace === namespace && target.name === name && target.kind === kind;
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

/** Labels that Kubernetes itself gives to pods. */
const GIVEN =
    /^((statefulset|apps|batch)\.kubernetes\.io\/.+|(rollouts-)?pod-template-hash|controller-revision-hash|job-name)$/;

/** Labels in a domain of their own are an operator's, for the pods that it makes of its custom resources. */
const FOREIGN = /^(?!app\.kubernetes\.io\/)[^/]+\.[^/]+\//;

/**
 * Whether a selector takes pods with these labels and others that they get as they run: by a controller, an
 * operator or themselves, such as who of them leads. What their template says of it, it has to say rightly.
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

/** Custom resources of which nobody makes pods or Services; of any other kind one cannot know. */
const INERT: Readonly<Record<string, RegExp>> = {
    "argoproj.io": /^(Rollout|AnalysisTemplate)$/,
    "keda.sh": /^(ScaledObject|TriggerAuthentication)$/,
    "monitoring.coreos.com":
        /^(ServiceMonitor|PodMonitor|Probe|ScrapeConfig|PrometheusRule|AlertmanagerConfig)$/,
    "traefik.io": /./,
};

function mayMakeOthers({ apiVersion, kind }: KubernetesObject): boolean {
    const [group = ""] = apiVersion.split("/");
    // Some implementations run a Gateway's proxy beside it.
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
