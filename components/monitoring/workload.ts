import type { PORTS } from "@property-search/contract";
import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { selectorLabels, standardLabels } from "../labels.ts";
import {
    disruptionBudget,
    httpProbe,
    LIVENESS_TIMING,
    READINESS_TIMING,
    podSecurityContext,
    RETAIN_VOLUMES,
    topologySpread,
    volumeClaim,
    type Resources,
} from "../workload.ts";

type PodSpec = k8s.types.input.core.v1.PodSpec;
type StatefulSetSpec = k8s.types.input.apps.v1.StatefulSetSpec;
type Port = (typeof PORTS)[keyof typeof PORTS];

/** Component label of the monitoring workloads. */
export const COMPONENT = "monitoring";

/** A monitoring workload: names, labels and the service account that its objects share. */
export interface MonitoringWorkload {
    readonly objectName: string;
    readonly matchLabels: Record<string, string>;
    readonly labels: Record<string, string>;
    /** Metadata of an object; its name is `objectName` unless another one is given. */
    readonly metadata: (name?: string) => k8s.types.input.meta.v1.ObjectMeta;
    readonly account: k8s.core.v1.ServiceAccount;
}

/** Probes of a server by its paths for readiness and liveness. */
export function serverProbes(
    ready: string,
    live: string,
    { periodSeconds, failureThreshold }: Record<"periodSeconds" | "failureThreshold", number>,
) {
    return {
        startupProbe: httpProbe(ready, { periodSeconds, timeoutSeconds: 3, failureThreshold }),
        readinessProbe: httpProbe(ready, READINESS_TIMING),
        livenessProbe: httpProbe(live, LIVENESS_TIMING),
    };
}

/** Pods of a workload. */
export interface WorkloadPods {
    /** Port of the container named `http`, and of the Service. */
    readonly port: Port;
    /** Checksum of the configuration. A new one replaces the pods, since a failed reload would keep the old one. */
    readonly checksum: pulumi.Input<string>;
    /**
     * Whether the pods call the API server. Other pods get no token.
     * @default false
     */
    readonly readsApi?: boolean;
    readonly spec: Pick<PodSpec, "containers" | "volumes" | "terminationGracePeriodSeconds">;
    /** Objects that the pods refer to by name, so that Pulumi sees no dependency. */
    readonly needs: readonly pulumi.Resource[];
}

/** Pods of a StatefulSet, each with a volume named `data`. */
export interface StatefulWorkloadPods extends WorkloadPods {
    readonly set: Pick<StatefulSetSpec, "serviceName" | "replicas">;
    /** Size of each volume, as a Kubernetes quantity. */
    readonly storage: string;
    /** StorageClass of the volumes. Undefined: the default class of the cluster. */
    readonly storageClass: string | undefined;
    readonly customTimeouts?: pulumi.CustomTimeouts;
}

/**
 * Declares the service account and disruption budget of a workload.
 *
 * @param name of the component, which the names of its resources begin with
 * @param objectName name of the Kubernetes objects
 * @param component label of the objects
 */
export function createWorkload(
    name: string,
    objectName: string,
    namespace: pulumi.Input<string>,
    child: pulumi.CustomResourceOptions,
    component = COMPONENT,
): MonitoringWorkload {
    const identity = { name: objectName, component };
    const matchLabels = selectorLabels(identity);
    const labels = standardLabels(identity);
    const metadata = (name = objectName) => ({ name, namespace, labels });
    const account = new k8s.core.v1.ServiceAccount(
        `${name}-account`,
        { metadata: metadata(), automountServiceAccountToken: false },
        child,
    );
    new k8s.policy.v1.PodDisruptionBudget(
        `${name}-budget`,
        { metadata: metadata(), spec: disruptionBudget(matchLabels) },
        child,
    );
    return { objectName, matchLabels, labels, metadata, account };
}

/** Declares a Deployment with one pod, and its Service. `name` is that of the component. */
export function createDeployment(
    name: string,
    workload: MonitoringWorkload,
    pods: WorkloadPods,
    child: pulumi.CustomResourceOptions,
): void {
    const { metadata, matchLabels, account } = workload;
    const resource = new k8s.apps.v1.Deployment(
        `${name}-deployment`,
        {
            metadata: metadata(),
            spec: {
                replicas: 1,
                revisionHistoryLimit: 3,
                // The new pod is ready before the old one terminates.
                strategy: {
                    type: "RollingUpdate",
                    rollingUpdate: { maxUnavailable: 0, maxSurge: 1 },
                },
                selector: { matchLabels },
                template: podTemplate(workload, pods, "pod-template-hash"),
            },
        },
        { ...child, dependsOn: [account, ...pods.needs] },
    );
    createService(name, workload, pods.port, resource, child);
}

/** Declares a StatefulSet and its Service. `name` is that of the component. */
export function createStatefulSet(
    name: string,
    workload: MonitoringWorkload,
    pods: StatefulWorkloadPods,
    child: pulumi.CustomResourceOptions,
): void {
    const { metadata, matchLabels, account } = workload;
    const { storage, storageClass, customTimeouts } = pods;
    const resource = new k8s.apps.v1.StatefulSet(
        `${name}-statefulset`,
        {
            metadata: metadata(),
            spec: {
                ...pods.set,
                // OrderedReady never replaces a pod that cannot start, not even by a corrected template.
                podManagementPolicy: "Parallel",
                revisionHistoryLimit: 3,
                updateStrategy: { type: "RollingUpdate" },
                persistentVolumeClaimRetentionPolicy: RETAIN_VOLUMES,
                selector: { matchLabels },
                template: podTemplate(workload, pods, "controller-revision-hash"),
                volumeClaimTemplates: [volumeClaim(storage, storageClass)],
            },
        },
        {
            ...child,
            dependsOn: [account, ...pods.needs],
            ...(customTimeouts && { customTimeouts }),
        },
    );
    createService(name, workload, pods.port, resource, child);
}

/** Declares the Service after the pods, since Pulumi waits for its endpoints. */
function createService(
    name: string,
    { metadata, matchLabels }: MonitoringWorkload,
    port: Port,
    resource: pulumi.Resource,
    child: pulumi.CustomResourceOptions,
): void {
    new k8s.core.v1.Service(
        `${name}-service`,
        {
            metadata: metadata(),
            spec: { type: "ClusterIP", selector: matchLabels, ports: [httpPort(port)] },
        },
        { ...child, dependsOn: [resource] },
    );
}

/** Port of a Service that targets the container port named `http`. */
export function httpPort(port: Port): k8s.types.input.core.v1.ServicePort {
    return { name: "http", port, targetPort: "http", protocol: "TCP" };
}

function podTemplate(
    { objectName, matchLabels, labels }: MonitoringWorkload,
    { checksum, readsApi = false, spec }: WorkloadPods,
    revisionLabel: "pod-template-hash" | "controller-revision-hash",
): k8s.types.input.core.v1.PodTemplateSpec {
    return {
        metadata: { labels, annotations: { "checksum/config": checksum } },
        spec: {
            serviceAccountName: objectName,
            automountServiceAccountToken: readsApi,
            enableServiceLinks: false,
            securityContext: podSecurityContext(),
            topologySpreadConstraints: topologySpread(matchLabels, revisionLabel),
            ...spec,
        },
    };
}

/** Resources of the smaller programs, above the most that any of them used on the local stack. */
export const SMALL_RESOURCES: Resources = {
    cpuRequest: "10m",
    cpuLimit: "500m",
    memoryRequest: "64Mi",
    memoryLimit: "128Mi",
};
