import { NAMESPACES, PORTS, REDIS_NAME } from "@property-search/contract";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { bytes, type RedisConfig } from "../config.ts";
import { selectorLabels, standardLabels } from "./labels.ts";
import { redisAcl, redisConfiguration } from "./redisConfiguration.ts";
import { disruptionBudget, hardenedContainer, hardenedPod } from "./workload.ts";

/** A Redis that the stack runs itself. */
type OwnRedis = Exclude<RedisConfig, { mode: "external" }>;

export interface RedisArgs {
    readonly redis: OwnRedis;
}

/** Primaries and replicas of the cluster. */
const CLUSTER_PODS = 6;
/** What the Job that forms the cluster may use. */
export const FORMATION = { cpu: "100m", memory: "64Mi" } as const;
/** The user of the official image; Debian's package works as any. */
const USER = 999;
const NODES_NAME = `${REDIS_NAME}-nodes`;
const IDENTITY = { name: REDIS_NAME, component: "cache" };
const SCRIPTS = ["start-cluster-node.sh", "form-cluster.sh"] as const;

/** Pods of a Redis that the stack runs itself. */
export function redisPods(mode: OwnRedis["mode"]): number {
    return mode === "cluster" ? CLUSTER_PODS : 1;
}

/**
 * Redis as a cache: bounded memory, least frequently used keys go first, snapshots on a volume so that
 * a restart starts warm, and a user per purpose. `standalone` is one pod; `cluster` is three primaries
 * and three replicas, which a Job forms and mends each time it runs.
 */
export class Redis extends pulumi.ComponentResource {
    /** `host:port` for clients in any namespace. */
    public readonly address: pulumi.Output<string>;

    constructor(name: string, args: RedisArgs, opts?: pulumi.ComponentResourceOptions) {
        super("platform:index:Redis", name, args, opts);
        const { redis } = args;
        const namespace = NAMESPACES.data;
        const labels = standardLabels(IDENTITY);
        const selector = selectorLabels(IDENTITY);
        const metadata = { name: REDIS_NAME, namespace, labels };
        const child = { parent: this };

        const files = {
            "redis.conf": redisConfiguration(redis.mode, bytes(redis.memoryLimit)),
            ...(redis.mode === "cluster" && scripts()),
        };
        const configuration = new k8s.core.v1.ConfigMap(
            `${name}-configuration`,
            { metadata, data: files },
            child,
        );
        const acl = redisAcl(redis.passwords);
        const credentials = new k8s.core.v1.Secret(
            `${name}-credentials`,
            {
                metadata,
                type: "Opaque",
                stringData: {
                    "users.acl": acl,
                    "replication.conf": pulumi.interpolate`masteruser admin\nmasterauth ${redis.passwords.admin}\n`,
                    "admin-password": redis.passwords.admin,
                },
            },
            child,
        );
        new k8s.core.v1.ServiceAccount(
            `${name}-account`,
            { metadata, automountServiceAccountToken: false },
            child,
        );
        const service = new k8s.core.v1.Service(
            `${name}-service`,
            { metadata, spec: { type: "ClusterIP", selector, ports: [REDIS_PORT] } },
            child,
        );
        // Names for single pods, which the cluster's nodes announce; also while they are not ready.
        const nodes = new k8s.core.v1.Service(
            `${name}-nodes`,
            {
                metadata: { ...metadata, name: NODES_NAME },
                spec: {
                    clusterIP: "None",
                    publishNotReadyAddresses: true,
                    selector,
                    ports: [REDIS_PORT],
                },
            },
            child,
        );
        const set = new k8s.apps.v1.StatefulSet(
            `${name}-set`,
            {
                metadata,
                spec: {
                    serviceName: NODES_NAME,
                    replicas: redisPods(redis.mode),
                    // Nodes of a cluster find each other, so none waits for the one before it.
                    podManagementPolicy: "Parallel",
                    updateStrategy: { type: "RollingUpdate" },
                    selector: { matchLabels: selector },
                    template: {
                        metadata: {
                            labels,
                            // A changed configuration or password restarts the pods, one by one.
                            annotations: { "checksum/configuration": checksum(files, acl) },
                        },
                        spec: podSpec(redis, selector),
                    },
                    volumeClaimTemplates: [volumeClaim(redis, labels)],
                },
            },
            {
                ...child,
                dependsOn: [configuration, credentials, nodes],
                customTimeouts: { create: "10m", update: "15m" },
            },
        );
        new k8s.policy.v1.PodDisruptionBudget(
            `${name}-budget`,
            { metadata, spec: disruptionBudget(selector) },
            child,
        );
        if (redis.mode === "cluster") this.#formation(name, redis, files, set);
        this.address = pulumi.interpolate`${service.metadata.name}.${namespace}:${PORTS.redis}`;
        this.registerOutputs({ address: this.address });
    }

    /** Runs once for each version of its script; running it again changes nothing that is right. */
    #formation(
        name: string,
        redis: OwnRedis,
        files: Record<string, string>,
        set: k8s.apps.v1.StatefulSet,
    ): void {
        const version = hash(JSON.stringify([files, redis.image])).slice(0, 8);
        const identity = { name: `${REDIS_NAME}-formation`, component: "cache-formation" };
        const labels = standardLabels(identity);
        new k8s.batch.v1.Job(
            `${name}-formation`,
            {
                metadata: {
                    name: `${REDIS_NAME}-formation-${version}`,
                    namespace: NAMESPACES.data,
                    labels,
                },
                spec: {
                    backoffLimit: 5,
                    activeDeadlineSeconds: 600,
                    template: {
                        metadata: { labels },
                        spec: {
                            ...commonPodSpec(),
                            restartPolicy: "Never",
                            containers: [
                                {
                                    ...commonContainer(redis),
                                    name: "formation",
                                    command: ["sh", "/etc/redis/form-cluster.sh"],
                                    env: [ADMIN_PASSWORD, ...NODE_NAMES],
                                    resources: {
                                        requests: { ...FORMATION, "ephemeral-storage": "16Mi" },
                                        limits: {
                                            cpu: "500m",
                                            memory: FORMATION.memory,
                                            "ephemeral-storage": "32Mi",
                                        },
                                    },
                                },
                            ],
                        },
                    },
                },
            },
            { parent: this, dependsOn: [set], customTimeouts: { create: "10m" } },
        );
    }
}

const REDIS_PORT = { name: "redis", port: PORTS.redis, targetPort: "redis" };
/** redis-cli reads the password from here, so that no command line shows it. */
const ADMIN_PASSWORD = {
    name: "REDISCLI_AUTH",
    valueFrom: { secretKeyRef: { name: REDIS_NAME, key: "admin-password" } },
};
const NODE_NAMES = [
    { name: "NODES", value: String(CLUSTER_PODS) },
    { name: "NODE_PREFIX", value: `${REDIS_NAME}-` },
    { name: "NODE_SUFFIX", value: `.${NODES_NAME}.${NAMESPACES.data}.svc.cluster.local` },
];
/** The user `health` may only PING and has no password: any will do. */
const PING = ["redis-cli", "-e", "--no-auth-warning", "--user", "health", "--pass", "any", "ping"];

function commonPodSpec() {
    return {
        serviceAccountName: REDIS_NAME,
        automountServiceAccountToken: false,
        enableServiceLinks: false,
        securityContext: hardenedPod(USER),
        volumes: [
            { name: "configuration", configMap: { name: REDIS_NAME } },
            { name: "credentials", secret: { secretName: REDIS_NAME, defaultMode: 0o440 } },
        ],
    };
}

function commonContainer({ image }: OwnRedis) {
    return {
        image,
        imagePullPolicy: "IfNotPresent",
        securityContext: hardenedContainer(),
        volumeMounts: [{ name: "configuration", mountPath: "/etc/redis", readOnly: true }],
    };
}

function podSpec(
    redis: OwnRedis,
    matchLabels: Record<string, string>,
): k8s.types.input.core.v1.PodSpec {
    const common = commonContainer(redis);
    const cluster = redis.mode === "cluster";
    return {
        ...commonPodSpec(),
        terminationGracePeriodSeconds: 60,
        affinity: {
            podAntiAffinity: {
                preferredDuringSchedulingIgnoredDuringExecution: [
                    {
                        weight: 100,
                        podAffinityTerm: {
                            topologyKey: "kubernetes.io/hostname",
                            labelSelector: { matchLabels },
                        },
                    },
                ],
            },
        },
        containers: [
            {
                ...common,
                name: "redis",
                command: cluster
                    ? ["sh", "/etc/redis/start-cluster-node.sh"]
                    : ["redis-server", "/etc/redis/redis.conf"],
                env: cluster
                    ? [
                          ADMIN_PASSWORD,
                          ...NODE_NAMES,
                          field("POD_NAME", "metadata.name"),
                          field("POD_IP", "status.podIP"),
                      ]
                    : [],
                ports: [
                    { name: "redis", containerPort: PORTS.redis, protocol: "TCP" },
                    ...(cluster
                        ? [{ name: "bus", containerPort: PORTS.redisBus, protocol: "TCP" }]
                        : []),
                ],
                resources: {
                    requests: {
                        cpu: redis.cpuRequest,
                        memory: redis.memoryLimit,
                        "ephemeral-storage": "32Mi",
                    },
                    limits: {
                        cpu: "1",
                        memory: redis.memoryLimit,
                        "ephemeral-storage": "64Mi",
                    },
                },
                // Loading a snapshot of a full cache takes minutes at worst.
                startupProbe: {
                    exec: { command: PING },
                    periodSeconds: 2,
                    timeoutSeconds: 2,
                    failureThreshold: 150,
                },
                readinessProbe: {
                    exec: { command: PING },
                    periodSeconds: 10,
                    timeoutSeconds: 3,
                    failureThreshold: 3,
                },
                livenessProbe: {
                    tcpSocket: { port: "redis" },
                    periodSeconds: 15,
                    timeoutSeconds: 3,
                    failureThreshold: 4,
                },
                volumeMounts: [
                    ...common.volumeMounts,
                    { name: "credentials", mountPath: "/etc/redis-credentials", readOnly: true },
                    { name: "data", mountPath: "/data" },
                ],
            },
        ],
    };
}

function volumeClaim(redis: OwnRedis, labels: Record<string, string>) {
    return {
        metadata: { name: "data", labels },
        spec: {
            accessModes: ["ReadWriteOnce"],
            resources: { requests: { storage: redis.storage } },
            ...(redis.storageClass !== undefined && { storageClassName: redis.storageClass }),
        },
    };
}

function field(name: string, fieldPath: string) {
    return { name, valueFrom: { fieldRef: { fieldPath } } };
}

function scripts(): Record<string, string> {
    return Object.fromEntries(
        SCRIPTS.map((file) => [
            file,
            readFileSync(new URL(`redis/${file}`, import.meta.url), "utf8"),
        ]),
    );
}

function hash(text: string): string {
    return createHash("sha256").update(text).digest("hex");
}

/** Not secret: a hash of 256 random bits tells nothing of them. */
function checksum(files: object, acl: pulumi.Output<string>): pulumi.Output<string> {
    return pulumi.unsecret(acl.apply((text) => hash(JSON.stringify([files, text]))));
}
