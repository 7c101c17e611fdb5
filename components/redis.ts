import { formatCpu, parseCpu, PORTS, REDIS_NAME } from "@property-search/contract";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { readFileSync } from "node:fs";
import path from "node:path";
import { selectorLabels, standardLabels } from "./labels.ts";
import {
    ADMIN_PASSWORD_KEY,
    AUTH_NAME,
    CONFIG_NAME,
    formationPod,
    PODS_SERVICE,
    redisPod,
    SCRIPT_RESOURCES,
    type PodsArgs,
} from "./redis/pods.ts";
import { aclFile, redisConf, replicationConf, sha256 } from "./redis/settings.ts";
import { disruptionBudget, RETAINED, volumeClaim, type Resources } from "./workload.ts";

export interface RedisArgs {
    readonly namespace: pulumi.Input<string>;
    /** One pod, or a Redis Cluster of three primaries with a replica each. */
    readonly mode: "standalone" | "cluster";
    /** Redis 7 or newer. */
    readonly image: string;
    readonly memoryLimit: string;
    readonly cpuRequest: string;
    /** Size of each pod's volume. */
    readonly storage: string;
    /** Default: the cluster's default class. */
    readonly storageClass?: string | undefined;
    /** By ACL user. */
    readonly passwords: Readonly<Record<"app" | "exporter" | "admin", pulumi.Input<string>>>;
}

type Size = Pick<RedisArgs, "mode" | "memoryLimit" | "cpuRequest">;

/** How many pods a mode has, and what the containers of each may use. */
export function redisSize(args: Size): { pods: number; containers: Resources[] } {
    return args.mode === "cluster"
        ? { pods: 6, containers: [serverResources(args), SCRIPT_RESOURCES] }
        : { pods: 1, containers: [serverResources(args)] };
}

function serverResources({ memoryLimit, cpuRequest }: Size): Resources {
    return {
        cpuRequest,
        // One core for commands, and as much again for I/O threads, snapshots and lazy freeing.
        cpuLimit: formatCpu(Math.max(1, 2 * (parseCpu(cpuRequest) ?? NaN))),
        // Request and limit are one: a cache always fills its memory.
        memoryRequest: memoryLimit,
        memoryLimit,
    };
}

/** The shared cache: Redis with users, snapshots on volumes, and bounded memory. */
export class Redis extends pulumi.ComponentResource {
    constructor(name: string, args: RedisArgs, opts?: pulumi.ComponentResourceOptions) {
        super("platform:index:Redis", name, args, opts);
        const child = { parent: this };
        const clustered = args.mode === "cluster";
        const { pods } = redisSize(args);
        const identity = { name: REDIS_NAME, component: "cache" };
        const matchLabels = selectorLabels(identity);
        // Names are fixed: the pods' addresses are made of them, and the program is also applied
        // without an engine that could make names up.
        const metadata = (objectName: string) => ({
            name: objectName,
            namespace: args.namespace,
            labels: standardLabels(identity),
        });

        const conf = configData(args.memoryLimit, clustered);
        const config = new k8s.core.v1.ConfigMap(
            `${name}-config`,
            { metadata: metadata(CONFIG_NAME), data: conf },
            child,
        );
        const users = pulumi
            .all([args.passwords.app, args.passwords.exporter, args.passwords.admin])
            .apply(([app, exporter, admin]) => aclFile({ app, exporter, admin }));
        const auth = new k8s.core.v1.Secret(
            `${name}-auth`,
            {
                metadata: metadata(AUTH_NAME),
                stringData: {
                    "users.acl": pulumi.secret(users),
                    "replication.conf": pulumi.secret(
                        pulumi.output(args.passwords.admin).apply(replicationConf),
                    ),
                    [ADMIN_PASSWORD_KEY]: pulumi.secret(args.passwords.admin),
                },
            },
            child,
        );
        // The hash of hashes of random passwords gives nothing away, and lets a diff be read.
        const checksum = pulumi.unsecret(
            users.apply((acl) => sha256(JSON.stringify([conf, sha256(acl)]))),
        );

        const headless = new k8s.core.v1.Service(
            `${name}-pods`,
            {
                metadata: metadata(PODS_SERVICE),
                spec: {
                    clusterIP: "None",
                    // Nodes must find each other before the cluster that makes them ready exists.
                    publishNotReadyAddresses: true,
                    selector: matchLabels,
                    ports: [
                        servicePort("redis", PORTS.redis),
                        ...(clustered ? [servicePort("bus", PORTS.redisBus)] : []),
                    ],
                },
            },
            child,
        );
        const podsArgs: PodsArgs = {
            image: args.image,
            replicas: pods,
            clustered,
            resources: serverResources(args),
            matchLabels,
        };
        const statefulSet = new k8s.apps.v1.StatefulSet(
            `${name}-statefulset`,
            {
                metadata: metadata(REDIS_NAME),
                spec: {
                    serviceName: PODS_SERVICE,
                    replicas: pods,
                    podManagementPolicy: "Parallel",
                    minReadySeconds: 5,
                    revisionHistoryLimit: 3,
                    updateStrategy: { type: "RollingUpdate" },
                    persistentVolumeClaimRetentionPolicy: RETAINED,
                    selector: { matchLabels },
                    template: {
                        metadata: {
                            labels: standardLabels(identity),
                            annotations: { "checksum/config": checksum },
                        },
                        spec: redisPod(podsArgs),
                    },
                    volumeClaimTemplates: [volumeClaim(args.storage, args.storageClass)],
                },
            },
            {
                parent: this,
                // The pods mount both and are named by the Service, all by plain names.
                dependsOn: [config, auth, headless],
                customTimeouts: { create: "10m", update: "20m" },
            },
        );
        new k8s.core.v1.Service(
            `${name}-service`,
            {
                metadata: metadata(REDIS_NAME),
                spec: {
                    type: "ClusterIP",
                    selector: matchLabels,
                    ports: [servicePort("redis", PORTS.redis)],
                },
            },
            // Pulumi waits for a Service's endpoints, and so for pods.
            { parent: this, dependsOn: [statefulSet] },
        );
        new k8s.policy.v1.PodDisruptionBudget(
            `${name}-budget`,
            { metadata: metadata(REDIS_NAME), spec: disruptionBudget(matchLabels) },
            child,
        );
        if (clustered) {
            const job = { name: `${REDIS_NAME}-formation`, component: "cache-formation" };
            new k8s.batch.v1.Job(
                `${name}-formation`,
                {
                    metadata: { ...metadata(job.name), labels: standardLabels(job) },
                    spec: {
                        backoffLimit: 6,
                        activeDeadlineSeconds: 900,
                        template: {
                            metadata: {
                                labels: standardLabels(job),
                                // A Job cannot change: another config makes another one, and it runs.
                                annotations: { "checksum/config": checksum },
                            },
                            spec: formationPod(podsArgs),
                        },
                    },
                },
                // It talks to the pods, and its own time would run out while they start.
                { parent: this, dependsOn: [statefulSet], customTimeouts: { create: "20m" } },
            );
        }
        this.registerOutputs({});
    }
}

function configData(memoryLimit: string, clustered: boolean): Record<string, string> {
    const conf = { "redis.conf": redisConf({ memoryLimit, clustered }) };
    return clustered
        ? {
              ...conf,
              "form-cluster.sh": scriptText("formCluster.sh"),
              "introduce-peers.sh": scriptText("introducePeers.sh"),
          }
        : conf;
}

function scriptText(file: string): string {
    return readFileSync(path.join(import.meta.dirname, "redis", file), "utf8");
}

function servicePort(name: string, port: number): k8s.types.input.core.v1.ServicePort {
    return { name, port, targetPort: name, protocol: "TCP" };
}
