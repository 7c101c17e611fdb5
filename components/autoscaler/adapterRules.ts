import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { standardLabels } from "../labels.ts";
import { adapterRule } from "./misses.ts";

/** Its name, and the key that holds the file for the adapter's flag --config. */
export const ADAPTER_RULES = { name: "prometheus-adapter-rules", key: "config.yaml" } as const;

export interface PrometheusAdapterRulesArgs {
    readonly namespace: pulumi.Input<string>;
}

/** What prometheus-adapter has to be told so that autoscalers can ask it for misses. */
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
