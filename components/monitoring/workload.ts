import type { PORTS } from "@property-search/contract";
import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { selectorLabels, standardLabels } from "../labels.ts";
import {
    disruptionBudget,
    podSecurityContext,
    RETAIN_VOLUMES,
    topologySpread,
    volumeClaim,
    type Resources,
} from "../workload.ts";

type PodSpec = k8s.types.input.core.v1.PodSpec;
type StatefulSetSpec = k8s.types.input.apps.v1.StatefulSetSpec;
type Port = (typeof PORTS)[keyof typeof PORTS];

/** What Prometheus' rules and network policies tell monitoring's own pods by. */
export const COMPONENT = "monitoring";

/** A program of monitoring: what all of them have around their pods. */
export interface MonitoringWorkload {
    readonly objectName: string;
    readonly matchLabels: Record<string, string>;
    readonly labels: Record<string, string>;
    /** Metadata of one of its objects. Default: called like the part itself. */
    readonly metadata: (called?: string) => k8s.types.input.meta.v1.ObjectMeta;
    readonly account: k8s.core.v1.ServiceAccount;
}

/** What a part's pods are, and where they answer. */
export interface WorkloadPods {
    readonly port: Port;
    /** Of the configuration. Another one is other pods: a reload that fails would leave the old one on. */
    readonly checksum: pulumi.Input<string>;
    /** Whether they ask the API server; the others get no token. Default: false. */
    readonly readsApi?: boolean;
    readonly spec: Pick<PodSpec, "containers" | "volumes" | "terminationGracePeriodSeconds">;
    /** What they need beside their account, and name only, so that no edge follows from the values. */
    readonly needs: readonly pulumi.Resource[];
}

/** Pods with a volume each, named `data`. */
export interface StatefulWorkloadPods extends WorkloadPods {
    readonly set: Pick<StatefulSetSpec, "serviceName" | "replicas">;
    readonly storage: string;
    /** Undefined: the cluster's default class. */
    readonly storageClass: string | undefined;
    readonly customTimeouts?: pulumi.CustomTimeouts;
}

/** Declares a part's account and disruption budget. `name` is the component's, `called` the objects'. */
export function createWorkload(
    name: string,
    called: string,
    namespace: pulumi.Input<string>,
    child: pulumi.CustomResourceOptions,
): MonitoringWorkload {
    const identity = { name: called, component: COMPONENT };
    const matchLabels = selectorLabels(identity);
    const labels = standardLabels(identity);
    const metadata = (objectName = called) => ({ name: objectName, namespace, labels });
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
    return { objectName: called, matchLabels, labels, metadata, account };
}

/** Declares the one pod of a part that keeps nothing, and its address. `name` is the component's. */
export function createDeployment(
    name: string,
    own: MonitoringWorkload,
    pods: WorkloadPods,
    child: pulumi.CustomResourceOptions,
): void {
    const { metadata, matchLabels, account } = own;
    const workload = new k8s.apps.v1.Deployment(
        `${name}-deployment`,
        {
            metadata: metadata(),
            spec: {
                replicas: 1,
                revisionHistoryLimit: 3,
                // Its successor is ready before a pod goes.
                strategy: {
                    type: "RollingUpdate",
                    rollingUpdate: { maxUnavailable: 0, maxSurge: 1 },
                },
                selector: { matchLabels },
                template: podTemplate(own, pods, "pod-template-hash"),
            },
        },
        { ...child, dependsOn: [account, ...pods.needs] },
    );
    createService(name, own, pods.port, workload, child);
}

/** Declares the pods of a part that keep data, and their address. `name` is the component's. */
export function createStatefulSet(
    name: string,
    own: MonitoringWorkload,
    pods: StatefulWorkloadPods,
    child: pulumi.CustomResourceOptions,
): void {
    const { metadata, matchLabels, account } = own;
    const { storage, storageClass, customTimeouts } = pods;
    const workload = new k8s.apps.v1.StatefulSet(
        `${name}-statefulset`,
        {
            metadata: metadata(),
            spec: {
                ...pods.set,
                // In order, a pod that cannot start would keep its template for ever: what would mend it waits for it.
                podManagementPolicy: "Parallel",
                revisionHistoryLimit: 3,
                updateStrategy: { type: "RollingUpdate" },
                persistentVolumeClaimRetentionPolicy: RETAIN_VOLUMES,
                selector: { matchLabels },
                template: podTemplate(own, pods, "controller-revision-hash"),
                volumeClaimTemplates: [volumeClaim(storage, storageClass)],
            },
        },
        {
            ...child,
            dependsOn: [account, ...pods.needs],
            ...(customTimeouts && { customTimeouts }),
        },
    );
    createService(name, own, pods.port, workload, child);
}

/** Once the pods are there: Pulumi waits for a Service's endpoints. */
function createService(
    name: string,
    { metadata, matchLabels }: MonitoringWorkload,
    port: Port,
    workload: pulumi.Resource,
    child: pulumi.CustomResourceOptions,
): void {
    new k8s.core.v1.Service(
        `${name}-service`,
        {
            metadata: metadata(),
            spec: { type: "ClusterIP", selector: matchLabels, ports: [httpPort(port)] },
        },
        { ...child, dependsOn: [workload] },
    );
}

/** Port of a Service to the containers' port named `http`. */
export function httpPort(port: Port): k8s.types.input.core.v1.ServicePort {
    return { name: "http", port, targetPort: "http", protocol: "TCP" };
}

function podTemplate(
    { objectName: called, matchLabels, labels }: MonitoringWorkload,
    { checksum, readsApi = false, spec }: WorkloadPods,
    revisionLabel: "pod-template-hash" | "controller-revision-hash",
): k8s.types.input.core.v1.PodTemplateSpec {
    return {
        metadata: { labels, annotations: { "checksum/config": checksum } },
        spec: {
            serviceAccountName: called,
            automountServiceAccountToken: readsApi,
            enableServiceLinks: false,
            securityContext: podSecurityContext(),
            topologySpreadConstraints: topologySpread(matchLabels, revisionLabel),
            ...spec,
        },
    };
}

/** Of the smaller programs; more than any of them took on the local stack. */
export const SMALL_RESOURCES: Resources = {
    cpuRequest: "10m",
    cpuLimit: "500m",
    memoryRequest: "64Mi",
    memoryLimit: "128Mi",
};
