import type { V1Container, V1PodSpec } from "@kubernetes/client-node";
import { asJson, ifKnown, asList, type Json, type KubernetesObject } from "./object.ts";

/** The pods that an object creates, or the pod that it is. */
export interface Pod {
    readonly object: KubernetesObject;
    /** Path of the pod spec in the object, such as `spec.template.spec`. */
    readonly path: string;
    readonly spec: V1PodSpec;
    readonly labels: Readonly<Record<string, string>>;
    readonly annotations: Readonly<Record<string, string>>;
    /** A `job` runs to completion and serves no requests. */
    readonly workloadType: "service" | "job";
    /** Init containers first, in order. */
    readonly containers: readonly Container[];
    /** Ephemeral containers, which `kubectl debug` adds to a running pod. */
    readonly ephemeral: readonly Container[];
}

export interface Container {
    readonly pod: Pod;
    /** Name, or index if the name is unknown. */
    readonly name: string;
    /** An `init` container ends before the others start; a `sidecar` is an init container that keeps running. */
    readonly role: "main" | "init" | "sidecar" | "ephemeral";
    /** Such as `spec.template.spec.containers[service]`. */
    readonly path: string;
    readonly spec: V1Container;
}

/** Path of the pod template by kind. */
const TEMPLATES: Readonly<Record<string, readonly string[]>> = {
    Pod: [],
    Deployment: ["spec", "template"],
    StatefulSet: ["spec", "template"],
    DaemonSet: ["spec", "template"],
    ReplicaSet: ["spec", "template"],
    ReplicationController: ["spec", "template"],
    Job: ["spec", "template"],
    CronJob: ["spec", "jobTemplate", "spec", "template"],
    // Argo Rollouts; one with spec.workloadRef has no template of its own.
    Rollout: ["spec", "template"],
};

const GROUPS = ["v1", "apps/v1", "batch/v1", "argoproj.io/v1alpha1"];

/** Kinds of objects with pods. */
export const POD_KINDS = Object.keys(TEMPLATES);

/** Reads the pod template of an object. @returns undefined for an object without pods */
export function getPod(object: KubernetesObject): Pod | undefined {
    const way = GROUPS.includes(object.apiVersion) ? TEMPLATES[object.kind] : undefined;
    if (way === undefined) return undefined;
    const template = way.reduce<Json>((value, key) => asJson(value[key]), object.body);
    // Not looked into: a rule that needs nothing of it must not meet what is unknown in it.
    if (!("spec" in template)) return undefined;
    const path = [...way, "spec"].join(".");
    return {
        object,
        path,
        get spec() {
            return asJson(template.spec) as unknown as V1PodSpec;
        },
        get labels() {
            return asJson(asJson(template.metadata).labels) as Readonly<Record<string, string>>;
        },
        get annotations() {
            return asJson(asJson(template.metadata).annotations) as Readonly<
                Record<string, string>
            >;
        },
        get workloadType() {
            if (object.kind === "Job" || object.kind === "CronJob") return "job";
            const { restartPolicy = "Always" } = object.kind === "Pod" ? this.spec : {};
            return restartPolicy === "Always" ? "service" : "job";
        },
        get containers() {
            return ["initContainers", "containers"].flatMap((field) => listContainers(this, field));
        },
        get ephemeral() {
            return listContainers(this, "ephemeralContainers");
        },
    };
}

function listContainers(pod: Pod, field: string): Container[] {
    return asList(asJson(pod.spec)[field]).map((spec, index) =>
        toContainer(pod, field, spec as unknown as V1Container, index),
    );
}

function toContainer(pod: Pod, field: string, spec: V1Container, index: number): Container {
    const name = ifKnown(() => spec.name) ?? `${index}`;
    return {
        pod,
        name,
        spec,
        path: `${pod.path}.${field}[${name}]`,
        get role() {
            if (field === "containers") return "main";
            if (field === "ephemeralContainers") return "ephemeral";
            return spec.restartPolicy === "Always" ? "sidecar" : "init";
        },
    };
}

/** @returns whether a container runs as long as its pod. */
export function isLongRunning({ role, pod }: Container): boolean {
    return (role === "main" || role === "sidecar") && pod.workloadType === "service";
}

/** @returns whether a container serves requests: it is long-running and has ports. */
export function isServing(container: Container): boolean {
    return isLongRunning(container) && (container.spec.ports ?? []).length > 0;
}
