import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";

export interface AutoscalerArgs {
    /** Namespace and name of the Deployment, which must not set its replicas itself. */
    readonly namespace: string;
    readonly deployment: string;
    readonly minReplicas: number;
    readonly maxReplicas: number;
    /** Mean CPU use in percent of the request to aim at. */
    readonly cpuPercent: number;
    readonly labels: Readonly<Record<string, string>>;
}

/** Grows fast (half as many pods again each minute) and shrinks slowly (a tenth, after five calm minutes). */
const BEHAVIOUR: k8s.types.input.autoscaling.v2.HorizontalPodAutoscalerBehavior = {
    scaleUp: {
        stabilizationWindowSeconds: 60,
        selectPolicy: "Max",
        policies: [{ type: "Percent", value: 50, periodSeconds: 60 }],
    },
    scaleDown: {
        stabilizationWindowSeconds: 300,
        selectPolicy: "Max",
        policies: [{ type: "Percent", value: 10, periodSeconds: 60 }],
    },
};

/** Scales a Deployment between its floor and its limit by CPU. */
export class Autoscaler extends pulumi.ComponentResource {
    constructor(name: string, args: AutoscalerArgs, opts?: pulumi.ComponentResourceOptions) {
        super("platform:index:Autoscaler", name, args, opts);
        const { namespace, deployment, minReplicas, maxReplicas, cpuPercent, labels } = args;
        if (minReplicas > maxReplicas) {
            throw new Error(
                `minReplicas is ${minReplicas}; allowed: no more than maxReplicas (${maxReplicas})`,
            );
        }
        new k8s.autoscaling.v2.HorizontalPodAutoscaler(
            `${name}-hpa`,
            {
                metadata: { name: deployment, namespace, labels },
                spec: {
                    scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: deployment },
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
                    behavior: BEHAVIOUR,
                },
            },
            { parent: this },
        );
        this.registerOutputs();
    }
}
