import type * as k8s from "@pulumi/kubernetes";

type Rules = k8s.types.input.autoscaling.v2.HPAScalingRules;
type Behavior = k8s.types.input.autoscaling.v2.HorizontalPodAutoscalerBehavior;

/** What a stack may set of a colour's scaling. */
export interface ScalingSettings {
    /** Mean CPU use in percent of the request that is aimed at. Default 70. */
    readonly cpuPercent?: number;
    /** Mean memory use in percent of the request that is aimed at. Default: memory does not scale. */
    readonly memoryPercent?: number | undefined;
    /** Seconds for which more pods must have been wanted throughout before there are more. Default 60. */
    readonly scaleUpWindow?: number;
    /** Default: misses do not scale. */
    readonly misses?: MissesSettings | undefined;
}

export interface MissesSettings {
    /** Who brings the figure to the autoscaler. */
    readonly metric: "keda" | "prometheus-adapter";
    /** Misses a second that each pod is to have at most. */
    readonly perPod: number;
    /** An existing Prometheus for KEDA to query. Default: the stack's own. */
    readonly prometheus?: { readonly url: string; readonly authorized: boolean } | undefined;
}

/**
 * Up by half a minute at most, so that a burst cannot multiply the pods before the first ones serve; down
 * by a tenth a minute, after five quiet ones, since a pod that goes takes its warm cache with it.
 *
 * Kubernetes rounds the limit of growth up and that of shrinking down (podautoscaler/horizontal.go), so of
 * 2 to 10 pods one can always come, and exactly one can go.
 */
export function behavior({ scaleUpWindow = 60 }: ScalingSettings): Behavior {
    return { scaleUp: percentPerMinute(scaleUpWindow, 50), scaleDown: percentPerMinute(300, 10) };
}

function percentPerMinute(stabilizationWindowSeconds: number, percent: number): Rules {
    return {
        stabilizationWindowSeconds,
        selectPolicy: "Max",
        policies: [{ type: "Percent", value: percent, periodSeconds: 60 }],
    };
}

/** Resources that scale, with the mean use in percent of the request that is aimed at. */
export function utilizations({
    cpuPercent = 70,
    memoryPercent,
}: ScalingSettings): readonly (readonly [resource: "cpu" | "memory", percent: number])[] {
    return [
        ["cpu", cpuPercent],
        ...(memoryPercent === undefined ? [] : ([["memory", memoryPercent]] as const)),
    ];
}
