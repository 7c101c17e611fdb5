import { MONITORING_NAMES, PORTS, SCRAPE_INTERVAL_SECONDS } from "@property-search/contract";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { stringify } from "yaml";
import { serviceHost } from "../addresses.ts";
import { sha256 } from "../redis/settings.ts";
import { containerResources, containerSecurityContext, type Resources } from "../workload.ts";
import { DATA_SOURCE } from "./dashboards/dataSource.ts";
import { createDeployment, createWorkload, serverProbes } from "./workload.ts";

const FOLDER = "/run/grafana";
const DATA_FOLDER = "/var/lib/grafana";
const PROVISIONING_NAME = "grafana-provisioning";
const DASHBOARDS_NAME = "grafana-dashboards";
const SECRET_NAME = "grafana";
const SECRET_KEYS = { password: "admin-password", secretKey: "secret-key" } as const;

export const GRAFANA_RESOURCES: Resources = {
    cpuRequest: "50m",
    cpuLimit: "1",
    memoryRequest: "256Mi",
    memoryLimit: "512Mi",
};

/** Settings of Grafana. */
export interface GrafanaSettings {
    /** Password of the user `admin`. */
    readonly adminPassword: pulumi.Input<string>;
    /** Key with which Grafana encrypts secrets in its database. */
    readonly secretKey: pulumi.Input<string>;
    /**
     * Image of Grafana 12 or newer.
     * @default "grafana/grafana:12.4.0"
     */
    readonly image?: string;
}

const DEFAULT_IMAGE = "grafana/grafana:12.4.0";

/** Arguments of `Grafana`. */
export interface GrafanaArgs extends GrafanaSettings {
    /** Namespace of all objects. */
    readonly namespace: pulumi.Input<string>;
    /** Dashboards, by file name. */
    readonly dashboards: Readonly<Record<string, object>>;
}

/**
 * Grafana without state: its data source and dashboards are provisioned, and its database is deleted with the pod.
 * A new password therefore takes effect with the next pod; a volume would keep the first one.
 */
export class Grafana extends pulumi.ComponentResource {
    constructor(name: string, args: GrafanaArgs, opts?: pulumi.ComponentResourceOptions) {
        super("property-search:index:Grafana", name, args, opts);
        const child = { parent: this };
        const workload = createWorkload(name, MONITORING_NAMES.grafana, args.namespace, child);
        const provisioning = { "source.yml": source(), "dashboards.yml": provider() };
        const dashboards = Object.fromEntries(
            Object.entries(args.dashboards).map(([file, board]) => [file, JSON.stringify(board)]),
        );
        const configMap = (role: string, objectName: string, data: Record<string, string>) =>
            new k8s.core.v1.ConfigMap(
                `${name}-${role}`,
                { metadata: workload.metadata(objectName), data },
                child,
            );
        const secret = new k8s.core.v1.Secret(
            `${name}-secret`,
            {
                metadata: workload.metadata(SECRET_NAME),
                stringData: {
                    [SECRET_KEYS.password]: pulumi.secret(args.adminPassword),
                    [SECRET_KEYS.secretKey]: pulumi.secret(args.secretKey),
                },
            },
            child,
        );
        // The hash of hashes of random passwords reveals nothing, and makes a diff readable.
        const checksum = pulumi.unsecret(
            pulumi
                .all([args.adminPassword, args.secretKey])
                .apply((secrets) =>
                    sha256(JSON.stringify([provisioning, dashboards, secrets.map(sha256)])),
                ),
        );
        createDeployment(
            name,
            workload,
            {
                port: PORTS.grafana,
                checksum,
                spec: { containers: [server(args.image ?? DEFAULT_IMAGE)], volumes: volumes() },
                needs: [
                    configMap("provisioning", PROVISIONING_NAME, provisioning),
                    configMap("dashboards", DASHBOARDS_NAME, dashboards),
                    secret,
                ],
            },
            child,
        );
        this.registerOutputs({});
    }
}

function source(): string {
    const host = serviceHost(MONITORING_NAMES.prometheus, "monitoring");
    return stringify({
        apiVersion: 1,
        datasources: [
            {
                name: "Prometheus",
                ...DATA_SOURCE,
                access: "proxy",
                url: `http://${host}:${PORTS.prometheus}`,
                isDefault: true,
                editable: false,
                // Grafana computes $__rate_interval from this.
                jsonData: { timeInterval: `${SCRAPE_INTERVAL_SECONDS}s`, httpMethod: "POST" },
            },
        ],
    });
}

function provider(): string {
    return stringify({
        apiVersion: 1,
        providers: [
            {
                name: "property-search",
                type: "file",
                disableDeletion: true,
                allowUiUpdates: false,
                options: { path: `${FOLDER}/dashboards` },
            },
        ],
    });
}

function server(image: string): k8s.types.input.core.v1.Container {
    return {
        name: "grafana",
        image,
        imagePullPolicy: "IfNotPresent",
        env: [
            ...Object.entries(SETTINGS).map(([key, value]) => ({ name: `GF_${key}`, value })),
            fromSecret("GF_SECURITY_ADMIN_PASSWORD", SECRET_KEYS.password),
            fromSecret("GF_SECURITY_SECRET_KEY", SECRET_KEYS.secretKey),
        ],
        ports: [{ name: "http", containerPort: PORTS.grafana, protocol: "TCP" }],
        ...serverProbes("/api/health", "/healthz", { periodSeconds: 2, failureThreshold: 90 }),
        resources: containerResources(GRAFANA_RESOURCES),
        securityContext: containerSecurityContext(),
        volumeMounts: [
            { name: "data", mountPath: DATA_FOLDER },
            { name: "tmp", mountPath: "/tmp" },
            { name: "provisioning", mountPath: `${FOLDER}/provisioning`, readOnly: true },
            { name: "dashboards", mountPath: `${FOLDER}/dashboards`, readOnly: true },
        ],
    };
}

/** Sections and keys of grafana.ini. */
const SETTINGS: Readonly<Record<string, string>> = {
    PATHS_DATA: DATA_FOLDER,
    PATHS_PROVISIONING: `${FOLDER}/provisioning`,
    LOG_MODE: "console",
    USERS_ALLOW_SIGN_UP: "false",
    USERS_ALLOW_ORG_CREATE: "false",
    USERS_AUTO_ASSIGN_ORG_ROLE: "Viewer",
    USERS_VIEWERS_CAN_EDIT: "false",
    AUTH_ANONYMOUS_ENABLED: "false",
    // Browsers send a secure cookie over HTTPS and to localhost, where a port-forward listens.
    SECURITY_COOKIE_SECURE: "true",
    SECURITY_COOKIE_SAMESITE: "strict",
    SECURITY_DISABLE_GRAVATAR: "true",
    SECURITY_STRICT_TRANSPORT_SECURITY: "true",
    // All alerts are rules of Prometheus.
    UNIFIED_ALERTING_ENABLED: "false",
    SNAPSHOTS_EXTERNAL_ENABLED: "false",
    ANALYTICS_ENABLED: "false",
    ANALYTICS_REPORTING_ENABLED: "false",
    ANALYTICS_CHECK_FOR_UPDATES: "false",
    ANALYTICS_CHECK_FOR_PLUGIN_UPDATES: "false",
    NEWS_NEWS_FEED_ENABLED: "false",
    // Grafana would download them at each start, which the network policies block.
    PLUGINS_PREINSTALL_DISABLED: "true",
    PLUGINS_PLUGIN_ADMIN_ENABLED: "false",
};

function fromSecret(name: string, key: string): k8s.types.input.core.v1.EnvVar {
    return { name, valueFrom: { secretKeyRef: { name: SECRET_NAME, key } } };
}

function volumes(): k8s.types.input.core.v1.Volume[] {
    return [
        { name: "data", emptyDir: { sizeLimit: "256Mi" } },
        { name: "tmp", emptyDir: { sizeLimit: "64Mi" } },
        {
            name: "provisioning",
            configMap: {
                name: PROVISIONING_NAME,
                items: [
                    { key: "source.yml", path: "datasources/source.yml" },
                    { key: "dashboards.yml", path: "dashboards/dashboards.yml" },
                ],
            },
        },
        { name: "dashboards", configMap: { name: DASHBOARDS_NAME } },
    ];
}
