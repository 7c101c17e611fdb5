import {
    EVALUATION_INTERVAL_SECONDS,
    PROMETHEUS_ACCESS,
    SCRAPE_INTERVAL_SECONDS,
} from "@property-search/contract";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { standardLabels } from "../labels.ts";
import { COMPONENT } from "./workload.ts";
import { ruleTexts, type RuleFile } from "./alerts/index.ts";
import { scrapeJobs, type ScrapeJob } from "./scrapeConfig.ts";

const MONITORING_API = "monitoring.coreos.com/v1";
const RULES_NAME = "prometheus-rules";

/** A Prometheus of the cluster, which the stack uses instead of its own. */
export interface ExistingPrometheusSettings {
    /**
     * `operator`: the Prometheus Operator reads PodMonitors and a PrometheusRule of the stack. `external`: another
     * system scrapes the pods by its own configuration and loads the rules from a ConfigMap.
     */
    readonly source: "operator" | "external";
    /** Base URL of its HTTP API inside the cluster, which the autoscaler and the release driver query. */
    readonly url: string;
    /** Namespace of the pods that scrape. */
    readonly namespace: string;
    /**
     * Labels by which the Operator selects monitors and rules.
     * @default none
     */
    readonly labels?: Readonly<Record<string, string>>;
    /**
     * Bearer token of the API.
     * @default none
     */
    readonly token?: pulumi.Input<string> | undefined;
}

/** Arguments of `ExistingPrometheus`. */
export interface ExistingPrometheusArgs extends ExistingPrometheusSettings {
    /** The monitoring namespace, for all objects but the tokens. */
    readonly monitoring: pulumi.Input<string>;
    /** Namespaces whose autoscalers query it; each gets the token. */
    readonly colours: readonly pulumi.Input<string>[];
    /** Whether Redis and its exporter run in the data namespace. */
    readonly redis: boolean;
    /** Rules, by file name. */
    readonly rules: Readonly<Record<string, RuleFile>>;
}

/** Rules and scrape targets for an existing Prometheus, and access to it for the stack. */
export class ExistingPrometheus extends pulumi.ComponentResource {
    constructor(
        name: string,
        args: ExistingPrometheusArgs,
        opts?: pulumi.ComponentResourceOptions,
    ) {
        super("property-search:index:ExistingPrometheus", name, args, opts);
        const child = { parent: this };
        const metadata = (objectName: string, namespace = args.monitoring) => ({
            name: objectName,
            namespace,
            labels: {
                ...standardLabels({ name: objectName, component: COMPONENT }),
                ...args.labels,
            },
        });
        new k8s.core.v1.ConfigMap(
            `${name}-access`,
            {
                metadata: metadata(PROMETHEUS_ACCESS.name),
                data: { [PROMETHEUS_ACCESS.url]: args.url },
            },
            child,
        );
        const { token } = args;
        if (token !== undefined) {
            [args.monitoring, ...args.colours].forEach((namespace, index) => {
                new k8s.core.v1.Secret(
                    `${name}-token-${index}`,
                    {
                        metadata: metadata(PROMETHEUS_ACCESS.name, namespace),
                        stringData: { [PROMETHEUS_ACCESS.token]: pulumi.secret(token) },
                    },
                    child,
                );
            });
        }
        if (args.source === "operator") this.#declareMonitors(name, args, metadata);
        else {
            new k8s.core.v1.ConfigMap(
                `${name}-rules`,
                { metadata: metadata(RULES_NAME), data: ruleTexts(args.rules) },
                child,
            );
        }
        this.registerOutputs({});
    }

    #declareMonitors(
        name: string,
        { rules, redis }: ExistingPrometheusArgs,
        metadata: (objectName: string) => object,
    ): void {
        const object = (role: string, kind: string, objectName: string, spec: object) =>
            new k8s.apiextensions.CustomResource(
                `${name}-${role}`,
                { apiVersion: MONITORING_API, kind, metadata: metadata(objectName), spec },
                { parent: this },
            );
        object("rules", "PrometheusRule", RULES_NAME, {
            groups: Object.values(rules).flatMap(({ groups }) =>
                groups.map((group) => ({ interval: `${EVALUATION_INTERVAL_SECONDS}s`, ...group })),
            ),
        });
        for (const job of scrapeJobs({ redis, platformOnly: true })) {
            object(job.job_name, "PodMonitor", job.job_name, podMonitorSpec(job));
        }
    }
}

/** A scrape job as a PodMonitor: the same targets with the same labels. */
export function podMonitorSpec(job: ScrapeJob): object {
    const relabelings = [
        { targetLabel: "job", replacement: job.job_name },
        ...job.relabel_configs.map(toCamelCase),
        // The Operator adds these labels; rules that join two series would not match.
        { action: "labeldrop", regex: "container|endpoint" },
    ];
    return {
        selector: {},
        namespaceSelector: { matchNames: namespacesOf(job) },
        podMetricsEndpoints: [
            {
                port: job.port,
                interval: `${SCRAPE_INTERVAL_SECONDS}s`,
                scrapeTimeout: "10s",
                ...(job.metrics_path !== undefined && { path: job.metrics_path }),
                ...(job.honor_labels === true && { honorLabels: true }),
                relabelings,
                ...(job.metric_relabel_configs && {
                    metricRelabelings: job.metric_relabel_configs.map(toCamelCase),
                }),
            },
        ],
    };
}

function namespacesOf({ kubernetes_sd_configs = [] }: ScrapeJob): readonly string[] {
    return kubernetes_sd_configs.flatMap(({ namespaces }) => namespaces.names);
}

function toCamelCase(one: object): object {
    return Object.fromEntries(
        Object.entries(one).map(([key, value]: [string, unknown]) => [
            key.replaceAll(/_(.)/g, (_, letter: string) => letter.toUpperCase()),
            value,
        ]),
    );
}
