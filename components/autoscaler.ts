import { PROMETHEUS_ACCESS, type Colour } from "@property-search/contract";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { scaledObjectSpec, triggerAuthenticationSpec } from "./autoscaler/keda.ts";
import { ADAPTER_METRIC } from "./autoscaler/misses.ts";
import { behavior, utilizations, type ScalingSettings } from "./autoscaler/scaling.ts";

export interface AutoscalerArgs extends ScalingSettings {
    /** Name, namespace and colour of the Deployment, which must not set `replicas` itself. */
    readonly target: {
        readonly name: pulumi.Input<string>;
        readonly namespace: pulumi.Input<string>;
        readonly colour: Colour;
    };
    readonly minReplicas: number;
    readonly maxReplicas: number;
    readonly labels?: Readonly<Record<string, string>>;
}

/**
 * KEDA's webhook refuses a ScaledObject as long as there is another autoscaler. On the deploy that
 * changes from one to the other both exist for seconds, in which Kubernetes lets neither act
 * (AmbiguousSelector).
 */
const ANNOTATIONS = { "validations.keda.sh/hpa-ownership": "false" };

/**
 * Scales a Deployment on CPU and, where the stack says so, on misses and memory; the most that any of them
 * asks for counts. With KEDA there is a ScaledObject and KEDA's autoscaler, and else an autoscaler of our
 * own: never both.
 */
export class Autoscaler extends pulumi.ComponentResource {
    constructor(name: string, args: AutoscalerArgs, opts?: pulumi.ComponentResourceOptions) {
        super("property-search:index:Autoscaler", name, args, opts);
        const { target, minReplicas, maxReplicas, misses } = args;
        if (minReplicas > maxReplicas) {
            throw new Error(
                `minReplicas of ${name} is ${minReplicas}; allowed: no more than maxReplicas (${maxReplicas})`,
            );
        }
        const metadata = {
            name: target.name,
            namespace: target.namespace,
            ...(args.labels && { labels: args.labels }),
        };
        if (misses?.metric === "keda") {
            if (misses.prometheus?.authorized === true) {
                new k8s.apiextensions.CustomResource(
                    `${name}-prometheus-access`,
                    {
                        apiVersion: "keda.sh/v1alpha1",
                        kind: "TriggerAuthentication",
                        metadata: { ...metadata, name: PROMETHEUS_ACCESS.name },
                        spec: triggerAuthenticationSpec(),
                    },
                    { parent: this },
                );
            }
            new k8s.apiextensions.CustomResource(
                `${name}-scaled-object`,
                {
                    apiVersion: "keda.sh/v1alpha1",
                    kind: "ScaledObject",
                    metadata,
                    spec: scaledObjectSpec({
                        ...args,
                        ...target,
                        missesPerPod: misses.perPod,
                        prometheus: misses.prometheus,
                        // Not the name of our own: whoever takes over by that name is deleted with it.
                        autoscalerName: pulumi.interpolate`${target.name}-keda`,
                    }),
                },
                { parent: this },
            );
        } else {
            new k8s.autoscaling.v2.HorizontalPodAutoscaler(
                `${name}-hpa`,
                {
                    metadata: { ...metadata, annotations: ANNOTATIONS },
                    spec: {
                        scaleTargetRef: {
                            apiVersion: "apps/v1",
                            kind: "Deployment",
                            name: target.name,
                        },
                        minReplicas,
                        maxReplicas,
                        metrics: metrics(args),
                        behavior: behavior(args),
                    },
                },
                { parent: this },
            );
        }
        this.registerOutputs({});
    }
}

function metrics(args: AutoscalerArgs): k8s.types.input.autoscaling.v2.MetricSpec[] {
    const resources = utilizations(args).map(([resource, percent]) => ({
        type: "Resource",
        resource: { name: resource, target: { type: "Utilization", averageUtilization: percent } },
    }));
    if (!args.misses) return resources;
    const target = { type: "AverageValue", averageValue: String(args.misses.perPod) };
    return [...resources, { type: "Pods", pods: { metric: { name: ADAPTER_METRIC }, target } }];
}
