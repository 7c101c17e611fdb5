import { PORTS } from "@property-search/contract";
import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { selectorLabels, standardLabels } from "../labels.ts";
import { disruptionBudget, hardenedPod, spread, type Resources } from "../workload.ts";

type PodSpec = k8s.types.input.core.v1.PodSpec;

/** What Prometheus' rules and network policies tell monitoring's own pods by. */
const COMPONENT = "monitoring";

/** A program of monitoring: what all of them have around their pods. */
export interface Part {
    readonly called: string;
    readonly matchLabels: Record<string, string>;
    readonly labels: Record<string, string>;
    /** Metadata of one of its objects. Default: called like the part itself. */
    readonly metadata: (called?: string) => k8s.types.input.meta.v1.ObjectMeta;
    readonly account: k8s.core.v1.ServiceAccount;
}

/** Declares a part's account and disruption budget. `name` is the component's, `called` the objects'. */
export function part(
    name: string,
    called: string,
    namespace: pulumi.Input<string>,
    child: pulumi.CustomResourceOptions,
): Part {
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
    return { called, matchLabels, labels, metadata, account };
}

/** Declares the part's address, once its pods are there: Pulumi waits for a Service's endpoints. */
export function address(
    name: string,
    { metadata, matchLabels }: Part,
    port: (typeof PORTS)[keyof typeof PORTS],
    workload: pulumi.Resource,
    parent: pulumi.Resource,
): k8s.core.v1.Service {
    return new k8s.core.v1.Service(
        `${name}-service`,
        {
            metadata: metadata(),
            spec: {
                type: "ClusterIP",
                selector: matchLabels,
                ports: [{ name: "http", port, targetPort: "http", protocol: "TCP" }],
            },
        },
        { parent, dependsOn: [workload] },
    );
}

/**
 * Pod of a part.
 *
 * @param readsApi whether it asks the API server; the others get no token.
 */
export function partPod(
    { called, matchLabels }: Part,
    revisionLabel: "pod-template-hash" | "controller-revision-hash",
    readsApi: boolean,
    spec: Pick<PodSpec, "containers" | "volumes" | "terminationGracePeriodSeconds">,
): PodSpec {
    return {
        serviceAccountName: called,
        automountServiceAccountToken: readsApi,
        enableServiceLinks: false,
        securityContext: hardenedPod(),
        topologySpreadConstraints: spread(matchLabels, revisionLabel),
        ...spec,
    };
}

/** Strategy of a Deployment whose successor is ready before it goes. */
export const ROLLING: k8s.types.input.apps.v1.DeploymentStrategy = {
    type: "RollingUpdate",
    rollingUpdate: { maxUnavailable: 0, maxSurge: 1 },
};

/** Of the smaller programs; more than any of them took on the local stack. */
export const SMALL: Resources = {
    cpuRequest: "10m",
    cpuLimit: "500m",
    memoryRequest: "32Mi",
    memoryLimit: "128Mi",
};
