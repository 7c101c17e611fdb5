import { MONITORING_NAMES, parseBytes, formatBytes, PORTS } from "@property-search/contract";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { stringify } from "yaml";
import { sha256 } from "../redis/settings.ts";
import { containerResources, containerSecurityContext, type Resources } from "../workload.ts";
import { ruleTexts, type RuleFile } from "./alerts/index.ts";
import { createStatefulSet, createWorkload, serverProbes } from "./workload.ts";
import { readRule, grantRead } from "./rbac.ts";
import {
    CONFIG_FOLDER,
    prometheusConfig,
    REMOTE_WRITE_FOLDER,
    REMOTE_WRITE_TOKEN_KEY,
    RULES_FOLDER,
    type RemoteWriteTarget,
    type ScrapeConfigArgs,
} from "./scrapeConfig.ts";

const DATA_FOLDER = "/prometheus";
const RETENTION = "200h";
/** Share of the volume for blocks; the write-ahead log and compaction need the rest. */
const STORAGE_SHARE = 0.8;
/** Share of the memory limit at which Go's garbage collector runs more often (GOMEMLIMIT). */
const GO_MEMORY_SHARE = 0.9;
const CONFIG_NAME = "prometheus-config";
const RULES_NAME = "prometheus-rules";
const REMOTE_WRITE_NAME = "prometheus-remote-write";

export const PROMETHEUS_CPU_LIMIT = "2";

/** Settings of Prometheus. */
export interface PrometheusSettings extends Pick<ScrapeConfigArgs, "cluster" | "gateway"> {
    /**
     * Image of Prometheus 2.42 or newer.
     * @default "prom/prometheus:v3.5.1"
     */
    readonly image: string;
    /**
     * CPU request, as a Kubernetes quantity. The limit is 2 CPUs.
     * @default "250m"
     */
    readonly cpuRequest: string;
    /**
     * Memory limit, as a Kubernetes quantity. The request is half of it.
     * @default "2Gi"
     */
    readonly memoryLimit: string;
    /**
     * Size of the volume, as a Kubernetes quantity. Four fifths of it hold data.
     * @default "20Gi"
     */
    readonly storage: string;
    /**
     * Another system that Prometheus writes all samples to.
     * @default none
     */
    readonly remoteWrite?: RemoteWrite | undefined;
}

/** Values of the settings that `Monitoring` is created without. */
export const DEFAULT_PROMETHEUS = {
    image: "prom/prometheus:v3.5.1",
    cpuRequest: "250m",
    memoryLimit: "2Gi",
    storage: "20Gi",
} as const satisfies PrometheusSettings;

/** A remote-write endpoint with its credentials. */
export interface RemoteWrite extends Omit<RemoteWriteTarget, "authorized"> {
    /**
     * Password of `username`, or a bearer token where there is no user name.
     * @default none: requests have no credentials
     */
    readonly token?: pulumi.Input<string> | undefined;
}

/** Arguments of `Prometheus`. */
export interface PrometheusArgs
    extends PrometheusSettings, Pick<ScrapeConfigArgs, "redis" | "grafana" | "example"> {
    /** Namespace of all objects. */
    readonly namespace: pulumi.Input<string>;
    /** Namespaces with pods to scrape, by role. Prometheus may list the pods of each. */
    readonly scraped: Readonly<Record<string, pulumi.Input<string>>>;
    /** Rules, by file name. */
    readonly rules: Readonly<Record<string, RuleFile>>;
    /**
     * StorageClass of the volume.
     * @default the default class of the cluster
     */
    readonly storageClass?: string | undefined;
}

/** Requests and limits of Prometheus' container. */
export function prometheusResources({
    cpuRequest,
    memoryLimit,
}: Pick<PrometheusSettings, "cpuRequest" | "memoryLimit">): Resources {
    return {
        cpuRequest,
        cpuLimit: PROMETHEUS_CPU_LIMIT,
        memoryRequest: formatBytes((parseBytes(memoryLimit) ?? NaN) / 2),
        memoryLimit,
    };
}

/** Prometheus with its rules: a single pod, since a restart loses one minute of samples at most. */
export class Prometheus extends pulumi.ComponentResource {
    constructor(name: string, args: PrometheusArgs, opts?: pulumi.ComponentResourceOptions) {
        super("property-search:index:Prometheus", name, args, opts);
        const child = { parent: this };
        const workload = createWorkload(name, MONITORING_NAMES.prometheus, args.namespace, child);
        const { remoteWrite } = args;
        const config = stringify(
            prometheusConfig({
                ...args,
                remoteWrite: remoteWrite && {
                    ...remoteWrite,
                    authorized: remoteWrite.token !== undefined,
                },
            }),
            { lineWidth: 0 },
        );
        const rules = ruleTexts(args.rules);
        const configMap = (role: string, objectName: string, data: Record<string, string>) =>
            new k8s.core.v1.ConfigMap(
                `${name}-${role}`,
                { metadata: workload.metadata(objectName), data },
                child,
            );
        const token = remoteWrite?.token;
        const needs = [
            configMap("config", CONFIG_NAME, { "prometheus.yml": config }),
            configMap("rules", RULES_NAME, rules),
            ...grantRead(name, workload, args.scraped, [readRule("", "pods")], child),
            ...(token === undefined
                ? []
                : [
                      new k8s.core.v1.Secret(
                          `${name}-remote-write`,
                          {
                              metadata: workload.metadata(REMOTE_WRITE_NAME),
                              stringData: { [REMOTE_WRITE_TOKEN_KEY]: pulumi.secret(token) },
                          },
                          child,
                      ),
                  ]),
        ];
        createStatefulSet(
            name,
            workload,
            {
                port: PORTS.prometheus,
                checksum: sha256(JSON.stringify([config, rules])),
                readsApi: true,
                set: { serviceName: workload.objectName, replicas: 1 },
                storage: args.storage,
                storageClass: args.storageClass,
                spec: {
                    // A clean shutdown closes the write-ahead log.
                    terminationGracePeriodSeconds: 120,
                    containers: [server(args)],
                    volumes: volumes(token !== undefined),
                },
                needs,
                // Longer than the startup probe, whose failure says more than a timeout.
                customTimeouts: { create: "20m", update: "20m" },
            },
            child,
        );
        this.registerOutputs({});
    }
}

function server(args: PrometheusArgs): k8s.types.input.core.v1.Container {
    const bytes = (quantity: string) => parseBytes(quantity) ?? NaN;
    const mebibytes = Math.floor((bytes(args.storage) * STORAGE_SHARE) / 1024 ** 2);
    return {
        name: "prometheus",
        image: args.image,
        imagePullPolicy: "IfNotPresent",
        args: [
            `--config.file=${CONFIG_FOLDER}/prometheus.yml`,
            `--storage.tsdb.path=${DATA_FOLDER}`,
            `--storage.tsdb.retention.time=${RETENTION}`,
            `--storage.tsdb.retention.size=${mebibytes}MB`,
            // On the port of queries, so that every client of queries may also reload: the network policy
            // "allow-queries" lists them.
            "--web.enable-lifecycle",
            "--query.timeout=30s",
        ],
        env: [
            {
                name: "GOMEMLIMIT",
                value: String(Math.floor(bytes(args.memoryLimit) * GO_MEMORY_SHARE)),
            },
        ],
        ports: [{ name: "http", containerPort: PORTS.prometheus, protocol: "TCP" }],
        // Prometheus is not ready while it replays its write-ahead log, which takes minutes after a crash.
        ...serverProbes("/-/ready", "/-/healthy", { periodSeconds: 5, failureThreshold: 180 }),
        resources: containerResources(prometheusResources(args)),
        securityContext: containerSecurityContext(),
        volumeMounts: [
            { name: "data", mountPath: DATA_FOLDER },
            { name: "config", mountPath: CONFIG_FOLDER, readOnly: true },
            { name: "rules", mountPath: RULES_FOLDER, readOnly: true },
            ...(args.remoteWrite?.token === undefined
                ? []
                : [{ name: "remote-write", mountPath: REMOTE_WRITE_FOLDER, readOnly: true }]),
        ],
    };
}

function volumes(withToken: boolean): k8s.types.input.core.v1.Volume[] {
    return [
        { name: "config", configMap: { name: CONFIG_NAME } },
        { name: "rules", configMap: { name: RULES_NAME } },
        ...(withToken
            ? [
                  {
                      name: "remote-write",
                      secret: { secretName: REMOTE_WRITE_NAME, defaultMode: 0o440 },
                  },
              ]
            : []),
    ];
}
