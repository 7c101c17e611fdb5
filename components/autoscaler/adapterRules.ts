import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { standardLabels } from "../labels.ts";
import { adapterRule } from "./misses.ts";

/** Name of the ConfigMap, and the key with the file for the adapter's flag --config. */
const ADAPTER_RULES = { name: "prometheus-adapter-rules", key: "config.yaml" } as const;

/** Arguments of `PrometheusAdapterRules`. */
export interface PrometheusAdapterRulesArgs {
    /** Namespace of the ConfigMap. */
    readonly namespace: pulumi.Input<string>;
}

/** Rules by which prometheus-adapter serves cache misses to autoscalers. */
export class PrometheusAdapterRules extends pulumi.ComponentResource {
    constructor(
        name: string,
        args: PrometheusAdapterRulesArgs,
        opts?: pulumi.ComponentResourceOptions,
    ) {
        super("property-search:index:PrometheusAdapterRules", name, args, opts);
        new k8s.core.v1.ConfigMap(
            `${name}-config`,
            {
                metadata: {
                    name: ADAPTER_RULES.name,
                    namespace: args.namespace,
                    labels: standardLabels({ name: ADAPTER_RULES.name, component: "autoscaling" }),
                },
                // JSON is YAML.
                data: {
                    [ADAPTER_RULES.key]: `${JSON.stringify({ rules: [adapterRule()] }, undefined, 2)}\n`,
                },
            },
            { parent: this },
        );
        this.registerOutputs({});
    }
}
