import { PROMETHEUS_ACCESS, type Colour } from "@property-search/contract";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { scaledObjectSpec, triggerAuthenticationSpec } from "./autoscaler/keda.ts";
import { ADAPTER_METRIC } from "./autoscaler/misses.ts";
import { behavior, utilizations, type ScalingSettings } from "./autoscaler/scaling.ts";

/** Arguments of `Autoscaler`. */
export interface AutoscalerArgs extends ScalingSettings {
    /** The Deployment, which must not set `replicas` itself. */
    readonly target: {
        readonly name: pulumi.Input<string>;
        readonly namespace: pulumi.Input<string>;
        readonly colour: Colour;
    };
    /** Fewest pods. */
    readonly minReplicas: number;
    /** Most pods. */
    readonly maxReplicas: number;
    /**
     * Labels of the objects.
     * @default none
     */
    readonly labels?: Readonly<Record<string, string>>;
}

/**
 * KEDA's webhook rejects a ScaledObject while another autoscaler exists. During a deployment that changes from one to
 * the other, both exist for seconds, in which neither scales (AmbiguousSelector).
 */
const ANNOTATIONS = { "validations.keda.sh/hpa-ownership": "false" };

/**
 * Autoscaler of a Deployment, on CPU and optionally on cache misses and memory; the highest of the results counts.
 * With KEDA it is a ScaledObject, whose HorizontalPodAutoscaler KEDA creates; otherwise a HorizontalPodAutoscaler.
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
                        // Not the name of the HorizontalPodAutoscaler below: its deletion would delete that of KEDA.
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
