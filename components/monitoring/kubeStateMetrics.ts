import {
    EXAMPLE_NAMESPACE,
    MONITORING_NAMES,
    NAMESPACES,
    PORTS,
    RELEASE_ANNOTATIONS,
    RELEASE_INFO,
    TRAFFIC_WEIGHT,
    type NamespaceRole,
} from "@property-search/contract";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { stringify } from "yaml";
import { sha256 } from "../redis/settings.ts";
import {
    bindRole,
    containerResources,
    containerSecurityContext,
    httpProbe,
    LIVENESS_TIMING,
    READINESS_TIMING,
} from "../workload.ts";
import { createDeployment, createWorkload, SMALL_RESOURCES } from "./workload.ts";
import { readRule, grantRead } from "./rbac.ts";
import { BACKEND_LABEL } from "./scrapeConfig.ts";

const CONFIG_NAME = "kube-state-metrics-config";
const CONFIG_FILE = "custom-resources.yml";
const CONFIG_FOLDER = "/run/kube-state-metrics-config";
const TELEMETRY_PORT = 8081;
const CERTIFICATE = "certmanager_certificate";

const ROUTES = "gateway.networking.k8s.io";
const CERTIFICATES = "cert-manager.io";

/** Arguments of `KubeStateMetrics`. */
export interface KubeStateMetricsArgs {
    /** Image of kube-state-metrics 2.15 or newer. */
    readonly image: string;
    /** Namespace of all objects but the roles. */
    readonly namespace: pulumi.Input<string>;
    /** Namespaces whose objects are read, by role. */
    readonly watched: Readonly<Record<NamespaceRole, pulumi.Input<string>>>;
    /**
     * Namespace of the example, whose objects are read too.
     * @default none: the stack has no example
     */
    readonly example?: pulumi.Input<string> | undefined;
    /** Whether cert-manager's certificates are read too. */
    readonly certificates: boolean;
}

/** kube-state-metrics: metrics of the objects in the stack's namespaces, including the traffic weights. */
export class KubeStateMetrics extends pulumi.ComponentResource {
    constructor(name: string, args: KubeStateMetricsArgs, opts?: pulumi.ComponentResourceOptions) {
        super("property-search:index:KubeStateMetrics", name, args, opts);
        const child = { parent: this };
        const workload = createWorkload(
            name,
            MONITORING_NAMES.kubeStateMetrics,
            args.namespace,
            child,
        );
        const { example } = args;
        const watched = { ...args.watched, ...(example !== undefined && { example }) };
        const config = stringify(customResources(args.certificates), { lineWidth: 0 });
        const configMap = new k8s.core.v1.ConfigMap(
            `${name}-config`,
            { metadata: workload.metadata(CONFIG_NAME), data: { [CONFIG_FILE]: config } },
            child,
        );
        const rules = [
            readRule("", "pods"),
            readRule("apps", "deployments", "statefulsets"),
            readRule("autoscaling", "horizontalpodautoscalers"),
            readRule("batch", "cronjobs", "jobs"),
            readRule(ROUTES, "httproutes"),
            ...(args.certificates ? [readRule(CERTIFICATES, "certificates")] : []),
        ];
        createDeployment(
            name,
            workload,
            {
                port: PORTS.kubeStateMetrics,
                checksum: sha256(config),
                readsApi: true,
                spec: {
                    containers: [server(args.image, example !== undefined)],
                    volumes: [{ name: "config", configMap: { name: CONFIG_NAME } }],
                },
                needs: [
                    configMap,
                    ...grantRead(name, workload, watched, rules, child),
                    grantReadDefinitions(name, workload, child),
                ],
            },
            child,
        );
        this.registerOutputs({});
    }
}

/**
 * kube-state-metrics looks up the definition of each custom resource that it watches, and definitions have no
 * namespace. This is the only cluster-wide permission of monitoring; it shows kinds, but no objects.
 */
function grantReadDefinitions(
    name: string,
    { labels, account }: ReturnType<typeof createWorkload>,
    child: pulumi.CustomResourceOptions,
): pulumi.Resource {
    const metadata = { name: "property-search-kube-state-metrics", labels };
    const role = new k8s.rbac.v1.ClusterRole(
        `${name}-definitions`,
        {
            metadata,
            rules: [readRule("apiextensions.k8s.io", "customresourcedefinitions")],
        },
        child,
    );
    return new k8s.rbac.v1.ClusterRoleBinding(
        `${name}-definitions-binding`,
        { metadata, ...bindRole("ClusterRole", role, account) },
        child,
    );
}

function server(image: string, hasExample: boolean): k8s.types.input.core.v1.Container {
    const namespaces = [...Object.values(NAMESPACES), ...(hasExample ? [EXAMPLE_NAMESPACE] : [])];
    const readiness = { httpGet: { path: "/readyz", port: "telemetry", scheme: "HTTP" } };
    return {
        name: "kube-state-metrics",
        image,
        imagePullPolicy: "IfNotPresent",
        args: [
            `--port=${PORTS.kubeStateMetrics}`,
            `--telemetry-port=${TELEMETRY_PORT}`,
            `--namespaces=${namespaces.join(",")}`,
            "--resources=cronjobs,deployments,horizontalpodautoscalers,jobs,pods,statefulsets",
            // It panics on a CronJob with a time zone if its image has no time zone database.
            "--metric-denylist=kube_cronjob_next_schedule_time",
            `--custom-resource-state-config-file=${CONFIG_FOLDER}/${CONFIG_FILE}`,
        ],
        ports: [
            { name: "http", containerPort: PORTS.kubeStateMetrics, protocol: "TCP" },
            { name: "telemetry", containerPort: TELEMETRY_PORT, protocol: "TCP" },
        ],
        startupProbe: { ...readiness, periodSeconds: 2, timeoutSeconds: 3, failureThreshold: 60 },
        readinessProbe: { ...readiness, ...READINESS_TIMING },
        // Not /livez, which calls the API server: a restart would not repair an outage of that.
        livenessProbe: httpProbe("/healthz", LIVENESS_TIMING),
        resources: containerResources(SMALL_RESOURCES),
        securityContext: containerSecurityContext(),
        volumeMounts: [{ name: "config", mountPath: CONFIG_FOLDER, readOnly: true }],
    };
}

/** Metrics of objects that kube-state-metrics has no built-in support for. */
export function customResources(certificates: boolean): object {
    return {
        kind: "CustomResourceStateMetrics",
        spec: { resources: [routeMetrics(), ...(certificates ? [certificateMetrics()] : [])] },
    };
}

/**
 * The last rule of the route splits the traffic; the rules above it are for tests of one colour (edge.ts). The release
 * driver annotates the route with its progress.
 */
function routeMetrics(): object {
    const [prefix, name] = split(TRAFFIC_WEIGHT, "property_search");
    const annotation = (key: keyof typeof RELEASE_ANNOTATIONS) => [
        "metadata",
        "annotations",
        RELEASE_ANNOTATIONS[key],
    ];
    return {
        groupVersionKind: { group: ROUTES, version: "v1", kind: "HTTPRoute" },
        metricNamePrefix: prefix,
        metrics: [
            {
                name,
                help: "Percent of the traffic that the route gives a colour",
                each: {
                    type: "Gauge",
                    gauge: {
                        path: ["spec", "rules", "-1", "backendRefs"],
                        labelsFromPath: { [BACKEND_LABEL]: ["name"], namespace: ["namespace"] },
                        valueFrom: ["weight"],
                        // A route without backends is not an error; its sample has no colour and is dropped.
                        nilIsZero: true,
                    },
                },
            },
            {
                name: split(RELEASE_INFO, prefix)[1],
                help: "Progress of the last traffic switch",
                each: {
                    type: "Info",
                    info: {
                        labelsFromPath: {
                            switch: annotation("id"),
                            candidate: annotation("candidate"),
                            phase: annotation("phase"),
                        },
                    },
                },
            },
        ],
    };
}

/** Named as cert-manager names them; scraping cert-manager itself would need permissions in its namespace. */
function certificateMetrics(): object {
    return {
        groupVersionKind: { group: CERTIFICATES, version: "v1", kind: "Certificate" },
        metricNamePrefix: CERTIFICATE,
        labelsFromPath: { name: ["metadata", "name"], namespace: ["metadata", "namespace"] },
        metrics: [
            {
                name: "expiration_timestamp_seconds",
                help: "Unix time at which a certificate ends; 0 before it is issued",
                each: {
                    type: "Gauge",
                    gauge: { path: ["status", "notAfter"], nilIsZero: true },
                },
            },
            {
                name: "ready_status",
                help: "Whether a certificate is ready",
                each: {
                    type: "StateSet",
                    stateSet: {
                        path: ["status", "conditions", "[type=Ready]", "status"],
                        labelName: "condition",
                        list: ["True", "False", "Unknown"],
                    },
                },
            },
        ],
    };
}

function split(name: string, prefix: string): [string, string] {
    return [prefix, name.slice(prefix.length + 1)];
}
