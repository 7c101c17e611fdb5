import type { KubernetesObject, V1StatefulSet } from "@kubernetes/client-node";
import {
    MONITORING_NAMES,
    NAMESPACES,
    parseBytes,
    SERVICE_NAMES,
    type Colour,
} from "@property-search/contract";
import { eventually, type TestCluster } from "./cluster.ts";

interface PodMetrics {
    readonly items: readonly {
        readonly containers: readonly { readonly usage: { readonly memory: string } }[];
    }[];
}

/** Ends Prometheus, or starts it again and waits until it answers. */
export async function scalePrometheus(cluster: TestCluster, replicas: 0 | 1): Promise<void> {
    const name = MONITORING_NAMES.prometheus;
    const namespace = NAMESPACES.monitoring;
    const metadata = { name, namespace };
    const scaled = { apiVersion: "apps/v1", kind: "StatefulSet", metadata, spec: { replicas } };
    await cluster.objects.merge(scaled);
    await eventually(`Prometheus has ${replicas} pods`, async () => {
        const reference = { apiVersion: "apps/v1", kind: "StatefulSet", namespace, name };
        const { status } = await cluster.objects.read<V1StatefulSet>(reference);
        return status?.replicas === replicas && (status.readyReplicas ?? 0) === replicas;
    });
}

/** Removes all pods of a colour, as a bad deploy would, or returns the colour to its autoscaler. */
export async function pauseAtNone(
    cluster: TestCluster,
    colour: Colour,
    paused: boolean,
): Promise<void> {
    const annotations = { "autoscaling.keda.sh/paused-replicas": paused ? "0" : null };
    const scaledObject = {
        apiVersion: "keda.sh/v1alpha1",
        kind: "ScaledObject",
        metadata: { name: SERVICE_NAMES[colour], namespace: NAMESPACES[colour], annotations },
    };
    await cluster.objects.merge(scaledObject as unknown as KubernetesObject);
}

/** @returns bytes that the pods of a namespace use, as metrics-server says. */
export async function memoryOf(cluster: TestCluster, namespace: string): Promise<number> {
    const { items } = (await cluster.objects.list("metrics.k8s.io/v1beta1", "PodMetrics", {
        namespace,
    })) as unknown as PodMetrics;
    const containers = items.flatMap((pod) => pod.containers);
    return containers.reduce((sum, { usage }) => sum + (parseBytes(usage.memory) ?? NaN), 0);
}
