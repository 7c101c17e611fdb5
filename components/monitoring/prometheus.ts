import { MONITORING_NAMES, parseBytes, formatBytes, PORTS } from "@property-search/contract";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { stringify } from "yaml";
import { sha256 } from "../redis/settings.ts";
import {
    containerResources,
    containerSecurityContext,
    httpProbe,
    type Resources,
} from "../workload.ts";
import { ruleTexts, type RuleFile } from "./alerts/index.ts";
import { createWorkload, createStatefulSet } from "./workload.ts";
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
/** Blocks are deleted whole, and the write-ahead log and compaction come on top of them. */
const STORAGE_SHARE = 0.8;
/** Share of the memory at which Go collects harder, rather than be killed for a heap half of it garbage. */
const GO_MEMORY_SHARE = 0.9;
const CONFIG_NAME = "prometheus-config";
const RULES_NAME = "prometheus-rules";
const REMOTE_WRITE_NAME = "prometheus-remote-write";

export const PROMETHEUS_CPU_LIMIT = "2";

/** What a stack decides of Prometheus. */
export interface PrometheusSettings extends Pick<ScrapeConfigArgs, "cluster" | "gateway"> {
    /** Prometheus 2.42 or newer, or 3. */
    readonly image: string;
    readonly cpuRequest: string;
    readonly memoryLimit: string;
    /** Size of the volume, four fifths of which hold data. */
    readonly storage: string;
    /** Undefined: nothing is written elsewhere. */
    readonly remoteWrite?: RemoteWrite | undefined;
}

export interface RemoteWrite extends Omit<RemoteWriteTarget, "authorized"> {
    readonly token?: pulumi.Input<string> | undefined;
}

export interface PrometheusArgs
    extends PrometheusSettings, Pick<ScrapeConfigArgs, "redis" | "grafana"> {
    readonly namespace: pulumi.Input<string>;
    /** Namespaces with pods to scrape, by role; in each Prometheus may list pods. */
    readonly scraped: Readonly<Record<string, pulumi.Input<string>>>;
    /** By file name. */
    readonly rules: Readonly<Record<string, RuleFile>>;
    /** Default: the cluster's default class. */
    readonly storageClass?: string | undefined;
}

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

/** Prometheus with its rules: one pod, since what it loses by a restart is a minute of figures. */
export class Prometheus extends pulumi.ComponentResource {
    constructor(name: string, args: PrometheusArgs, opts?: pulumi.ComponentResourceOptions) {
        super("property-search:index:Prometheus", name, args, opts);
        const child = { parent: this };
        const own = createWorkload(name, MONITORING_NAMES.prometheus, args.namespace, child);
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
        const configMap = (role: string, called: string, data: Record<string, string>) =>
            new k8s.core.v1.ConfigMap(
                `${name}-${role}`,
                { metadata: own.metadata(called), data },
                child,
            );
        const token = remoteWrite?.token;
        const needs = [
            configMap("config", CONFIG_NAME, { "prometheus.yml": config }),
            configMap("rules", RULES_NAME, rules),
            ...grantRead(name, own, args.scraped, [readRule("", "pods")], child),
            ...(token === undefined
                ? []
                : [
                      new k8s.core.v1.Secret(
                          `${name}-remote-write`,
                          {
                              metadata: own.metadata(REMOTE_WRITE_NAME),
                              stringData: { [REMOTE_WRITE_TOKEN_KEY]: pulumi.secret(token) },
                          },
                          child,
                      ),
                  ]),
        ];
        createStatefulSet(
            name,
            own,
            {
                port: PORTS.prometheus,
                checksum: sha256(JSON.stringify([config, rules])),
                readsApi: true,
                set: { serviceName: own.objectName, replicas: 1 },
                storage: args.storage,
                storageClass: args.storageClass,
                spec: {
                    // What is in memory is written to the log as it comes; this closes it in order.
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
            // The same port as queries, so that whoever may ask may also reload: see "allow-queries" among the
            // namespace's network policies.
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
        // It is not ready while it replays its write-ahead log: minutes, after a crash with many series.
        startupProbe: httpProbe("/-/ready", {
            periodSeconds: 5,
            timeoutSeconds: 3,
            failureThreshold: 180,
        }),
        readinessProbe: httpProbe("/-/ready", {
            periodSeconds: 5,
            timeoutSeconds: 3,
            failureThreshold: 3,
        }),
        livenessProbe: httpProbe("/-/healthy", {
            periodSeconds: 10,
            timeoutSeconds: 5,
            failureThreshold: 6,
        }),
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
