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
/** Consecutive failures, several per minute, before the fallback. Until then KEDA keeps the pods. */
const FAILURE_THRESHOLD = 3;

/** Arguments of `scaledObjectSpec`. */
export interface ScaledObjectArgs extends ScalingSettings {
    /** Name of the Deployment. */
    readonly name: pulumi.Input<string>;
    /** Colour whose misses count. */
    readonly colour: Colour;
    /** Cache misses per second that each pod should have at most. */
    readonly missesPerPod: number;
    /**
     * An existing Prometheus.
     * @default the stack's own Prometheus
     */
    readonly prometheus?: MissesSettings["prometheus"];
    /** Fewest pods. */
    readonly minReplicas: number;
    /** Most pods. */
    readonly maxReplicas: number;
    /** Name of the HorizontalPodAutoscaler that KEDA creates. */
    readonly autoscalerName: pulumi.Input<string>;
}

/** Spec of a ScaledObject of KEDA 2.17 or newer: on cache misses, CPU and memory. */
export function scaledObjectSpec(args: ScaledObjectArgs): object {
    const { name, colour, missesPerPod, prometheus, minReplicas, maxReplicas } = args;
    return {
        scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name },
        minReplicaCount: minReplicas,
        maxReplicaCount: maxReplicas,
        // An unavailable Prometheus says nothing about the load, so the number of pods stays. CPU still scales up.
        // The field `replicas` is required, but this behavior ignores it.
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
                // KEDA passes the sum on, and the autoscaler divides it by the number of pods.
                metricType: "AverageValue",
                metadata: {
                    serverAddress: prometheus?.url ?? PROMETHEUS,
                    ...(prometheus?.authorized === true && { authModes: "bearer" }),
                    query: missesQuery(colour),
                    threshold: String(missesPerPod),
                    // Otherwise a missing series counts as zero misses, which scales down during an outage
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

/** Spec of a TriggerAuthentication: the bearer token of an existing Prometheus, from a Secret. */
export function triggerAuthenticationSpec(): object {
    const { name, token } = PROMETHEUS_ACCESS;
    return { secretTargetRef: [{ parameter: "bearerToken", name, key: token }] };
}
