import {
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
import { containerResources, containerSecurityContext, httpProbe } from "../workload.ts";
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

export interface KubeStateMetricsArgs {
    readonly image: string;
    /** Where it runs. */
    readonly namespace: pulumi.Input<string>;
    /** What it watches. */
    readonly watched: Readonly<Record<NamespaceRole, pulumi.Input<string>>>;
    /** Whether cert-manager's certificates are watched too. */
    readonly certificates: boolean;
}

/** kube-state-metrics: what the API server has of our namespaces, the traffic weights among it. */
export class KubeStateMetrics extends pulumi.ComponentResource {
    constructor(name: string, args: KubeStateMetricsArgs, opts?: pulumi.ComponentResourceOptions) {
        super("property-search:index:KubeStateMetrics", name, args, opts);
        const child = { parent: this };
        const own = createWorkload(name, MONITORING_NAMES.kubeStateMetrics, args.namespace, child);
        const config = stringify(customResources(args.certificates), { lineWidth: 0 });
        const configMap = new k8s.core.v1.ConfigMap(
            `${name}-config`,
            { metadata: own.metadata(CONFIG_NAME), data: { [CONFIG_FILE]: config } },
            child,
        );
        const rules = [
            readRule("", "pods"),
            readRule("apps", "deployments", "statefulsets"),
            readRule("autoscaling", "horizontalpodautoscalers"),
            readRule(ROUTES, "httproutes"),
            ...(args.certificates ? [readRule(CERTIFICATES, "certificates")] : []),
        ];
        createDeployment(
            name,
            own,
            {
                port: PORTS.kubeStateMetrics,
                checksum: sha256(config),
                readsApi: true,
                spec: {
                    containers: [server(args.image)],
                    volumes: [{ name: "config", configMap: { name: CONFIG_NAME } }],
                },
                needs: [
                    configMap,
                    ...grantRead(name, own, args.watched, rules, child),
                    grantReadDefinitions(name, own, child),
                ],
            },
            child,
        );
        this.registerOutputs({});
    }
}

/**
 * Before it watches a kind it looks up the kind's definition, and definitions belong to no namespace: the
 * one right of monitoring that holds in the whole cluster. It shows which kinds there are, and no object.
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
        {
            metadata,
            roleRef: {
                apiGroup: "rbac.authorization.k8s.io",
                kind: "ClusterRole",
                name: role.metadata.name,
            },
            subjects: [
                {
                    kind: "ServiceAccount",
                    name: account.metadata.name,
                    namespace: account.metadata.namespace,
                },
            ],
        },
        child,
    );
}

function server(image: string): k8s.types.input.core.v1.Container {
    const isReady = { httpGet: { path: "/readyz", port: "telemetry", scheme: "HTTP" } };
    return {
        name: "kube-state-metrics",
        image,
        imagePullPolicy: "IfNotPresent",
        args: [
            `--port=${PORTS.kubeStateMetrics}`,
            `--telemetry-port=${TELEMETRY_PORT}`,
            `--namespaces=${Object.values(NAMESPACES).join(",")}`,
            "--resources=deployments,horizontalpodautoscalers,pods,statefulsets",
            `--custom-resource-state-config-file=${CONFIG_FOLDER}/${CONFIG_FILE}`,
        ],
        ports: [
            { name: "http", containerPort: PORTS.kubeStateMetrics, protocol: "TCP" },
            { name: "telemetry", containerPort: TELEMETRY_PORT, protocol: "TCP" },
        ],
        startupProbe: { ...isReady, periodSeconds: 2, timeoutSeconds: 3, failureThreshold: 60 },
        readinessProbe: { ...isReady, periodSeconds: 5, timeoutSeconds: 3, failureThreshold: 3 },
        // Not /livez, which asks the API server: a restart of this pod would not bring that one back.
        livenessProbe: httpProbe("/healthz", {
            periodSeconds: 10,
            timeoutSeconds: 5,
            failureThreshold: 6,
        }),
        resources: containerResources(SMALL_RESOURCES),
        securityContext: containerSecurityContext(),
        volumeMounts: [{ name: "config", mountPath: CONFIG_FOLDER, readOnly: true }],
    };
}

/** Figures from objects that kube-state-metrics does not know by itself. */
export function customResources(certificates: boolean): object {
    return {
        kind: "CustomResourceStateMetrics",
        spec: { resources: [routeMetrics(), ...(certificates ? [certificateMetrics()] : [])] },
    };
}

/**
 * The last rule of the route divides the traffic; those above it are for tests of one colour (edge.ts). The
 * release driver marks the route with where it stands.
 */
function routeMetrics(): object {
    const [prefix, name] = split(TRAFFIC_WEIGHT, "property_search");
    const mark = (key: keyof typeof RELEASE_ANNOTATIONS) => [
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
                        // A route without backends is no error; what it yields has no colour and is dropped.
                        nilIsZero: true,
                    },
                },
            },
            {
                name: split(RELEASE_INFO, prefix)[1],
                help: "Where the last switch of the traffic stands",
                each: {
                    type: "Info",
                    info: {
                        labelsFromPath: {
                            switch: mark("id"),
                            candidate: mark("candidate"),
                            phase: mark("phase"),
                        },
                    },
                },
            },
        ],
    };
}

/** As cert-manager itself names them, whose own figures would take rights in its namespace. */
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
