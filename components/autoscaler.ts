import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";

export interface AutoscalerArgs {
    /** Name and namespace of the Deployment, which must not set `replicas` itself. */
    readonly target: {
        readonly name: pulumi.Input<string>;
        readonly namespace: pulumi.Input<string>;
    };
    readonly minReplicas: number;
    readonly maxReplicas: number;
    /** Mean CPU use in percent of the request that is aimed at. Default 70. */
    readonly cpuPercent?: number;
    readonly labels?: Readonly<Record<string, string>>;
}

/**
 * Scales a Deployment on CPU: up within a minute, by half at most, so that a burst cannot multiply the
 * pods before the first ones serve; down by a tenth a minute, after five quiet ones, since a pod that
 * goes takes its warm cache with it.
 */
export class Autoscaler extends pulumi.ComponentResource {
    constructor(name: string, args: AutoscalerArgs, opts?: pulumi.ComponentResourceOptions) {
        super("platform:index:Autoscaler", name, args, opts);
        const { target, minReplicas, maxReplicas, cpuPercent = 70 } = args;
        if (minReplicas > maxReplicas) {
            throw new Error(
                `minReplicas of ${name} is ${minReplicas}; allowed: no more than maxReplicas (${maxReplicas})`,
            );
        }
        new k8s.autoscaling.v2.HorizontalPodAutoscaler(
            `${name}-hpa`,
            {
                metadata: {
                    name: target.name,
                    namespace: target.namespace,
                    ...(args.labels && { labels: args.labels }),
                },
                spec: {
                    scaleTargetRef: {
                        apiVersion: "apps/v1",
                        kind: "Deployment",
                        name: target.name,
                    },
                    minReplicas,
                    maxReplicas,
                    metrics: [
                        {
                            type: "Resource",
                            resource: {
                                name: "cpu",
                                target: { type: "Utilization", averageUtilization: cpuPercent },
                            },
                        },
                    ],
                    behavior: { scaleUp: scaling(60, 50), scaleDown: scaling(300, 10) },
                },
            },
            { parent: this },
        );
        this.registerOutputs({});
    }
}

/** Changes of at most so many percent a minute, judged over a window in seconds. */
function scaling(
    stabilizationWindowSeconds: number,
    percent: number,
): k8s.types.input.autoscaling.v2.HPAScalingRules {
    return {
        stabilizationWindowSeconds,
        selectPolicy: "Max",
        policies: [{ type: "Percent", value: percent, periodSeconds: 60 }],
    };
}
