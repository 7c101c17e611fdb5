import {
    MONITORING_NAMES,
    NAMESPACES,
    PORTS,
    PROMETHEUS_ACCESS,
    type Colour,
} from "@property-search/contract";
import type * as pulumi from "@pulumi/pulumi";
import { missesQuery } from "./misses.ts";
import { behavior, utilizations, type MissesSettings, type ScalingSettings } from "./scaling.ts";

const PROMETHEUS = `http://${MONITORING_NAMES.prometheus}.${NAMESPACES.monitoring}.svc:${PORTS.prometheus}`;
/** Failures in a row, of which there are several a minute, before the fallback. Until then none goes. */
const FAILURE_THRESHOLD = 3;

export interface ScaledObjectArgs extends ScalingSettings {
    /** Of the Deployment. */
    readonly name: pulumi.Input<string>;
    readonly colour: Colour;
    readonly missesPerPod: number;
    /** Default: the stack's own Prometheus. */
    readonly prometheus?: MissesSettings["prometheus"];
    readonly minReplicas: number;
    readonly maxReplicas: number;
    /** Of the HorizontalPodAutoscaler that KEDA makes. */
    readonly autoscalerName: pulumi.Input<string>;
}

/** Spec of a ScaledObject of KEDA 2.17 or newer: on misses, and on what an autoscaler of our own would. */
export function scaledObjectSpec(args: ScaledObjectArgs): object {
    const { name, colour, missesPerPod, prometheus, minReplicas, maxReplicas } = args;
    return {
        scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name },
        minReplicaCount: minReplicas,
        maxReplicaCount: maxReplicas,
        // A Prometheus that is away says nothing of the load: as many pods as there are. What CPU asks for
        // still comes. `replicas` is demanded, and this behavior does not read it.
        fallback: {
            failureThreshold: FAILURE_THRESHOLD,
            replicas: minReplicas,
            behavior: "currentReplicas",
        },
        advanced: {
            horizontalPodAutoscalerConfig: { name: args.autoscalerName, behavior: behavior(args) },
        },
        triggers: [
            {
                type: "prometheus",
                name: "misses",
                // KEDA hands on the sum, and the autoscaler divides it by the pods.
                metricType: "AverageValue",
                metadata: {
                    serverAddress: prometheus?.url ?? PROMETHEUS,
                    ...(prometheus?.authorized === true && { authModes: "bearer" }),
                    query: missesQuery(colour),
                    threshold: String(missesPerPod),
                    // Otherwise no series counts as no misses, and scales down in an outage
                    // (kedacore/keda#3065).
                    ignoreNullValues: "false",
                },
                ...(prometheus?.authorized === true && {
                    authenticationRef: { name: PROMETHEUS_ACCESS.name },
                }),
            },
            ...utilizations(args).map(([type, percent]) => ({
                type,
                metricType: "Utilization",
                metadata: { value: String(percent) },
            })),
        ],
    };
}

/** Where KEDA finds the bearer token of an existing Prometheus, in the namespace of the ScaledObject. */
export function triggerAuthenticationSpec(): object {
    const { name, token } = PROMETHEUS_ACCESS;
    return { secretTargetRef: [{ parameter: "bearerToken", name, key: token }] };
}
