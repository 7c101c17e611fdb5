import type * as k8s from "@pulumi/kubernetes";

type Rules = k8s.types.input.autoscaling.v2.HPAScalingRules;
type Behavior = k8s.types.input.autoscaling.v2.HorizontalPodAutoscalerBehavior;

/** Settings of a colour's autoscaler. */
export interface ScalingSettings {
    /**
     * Target of the mean CPU use, in percent of the request.
     * @default 70
     */
    readonly cpuPercent?: number;
    /**
     * Target of the mean memory use, in percent of the request.
     * @default none: memory does not scale
     */
    readonly memoryPercent?: number | undefined;
    /**
     * Stabilization window for scaling up, in seconds.
     * @default 60
     */
    readonly scaleUpStabilizationSeconds?: number;
    /**
     * Scaling on cache misses.
     * @default none: misses do not scale
     */
    readonly misses?: MissesSettings | undefined;
}

/** Settings of scaling on cache misses. */
export interface MissesSettings {
    /** Source of the metric. */
    readonly metric: "keda" | "prometheus-adapter";
    /** Cache misses per second that each pod should have at most. */
    readonly perPod: number;
    /**
     * An existing Prometheus for KEDA to query.
     * @default the stack's own Prometheus
     */
    readonly prometheus?: { readonly url: string; readonly authorized: boolean } | undefined;
}

/**
 * Up by 50 % per minute, so that a burst cannot multiply the pods before the first ones serve. Down by 10 % per minute
 * after five minutes, since a pod that terminates loses its warm cache.
 *
 * Kubernetes rounds the limit up for growth and down for shrinking (podautoscaler/horizontal.go), so that with 2 to 10
 * pods one can always be added, and exactly one removed.
 */
export function behavior({ scaleUpStabilizationSeconds = 60 }: ScalingSettings): Behavior {
    return {
        scaleUp: percentPerMinute(scaleUpStabilizationSeconds, 50),
        scaleDown: percentPerMinute(300, 10),
    };
}

function percentPerMinute(stabilizationWindowSeconds: number, percent: number): Rules {
    return {
        stabilizationWindowSeconds,
        selectPolicy: "Max",
        policies: [{ type: "Percent", value: percent, periodSeconds: 60 }],
    };
}

/** Resources that scale, with the target of their mean use in percent of the request. */
export function utilizations({
    cpuPercent = 70,
    memoryPercent,
}: ScalingSettings): readonly (readonly [resource: "cpu" | "memory", percent: number])[] {
    return [
        ["cpu", cpuPercent],
        ...(memoryPercent === undefined ? [] : ([["memory", memoryPercent]] as const)),
    ];
}
