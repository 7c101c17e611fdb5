import { formatCpu, parseCpu, PORTS, REDIS_NAME } from "@property-search/contract";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { readFileSync } from "node:fs";
import path from "node:path";
import { selectorLabels, standardLabels } from "./labels.ts";
import { RedisFormation } from "./redis/formation.ts";
import {
    AUTH_NAME,
    CONFIG_NAME,
    formationPod,
    PODS_SERVICE,
    redisPod,
    SCRIPT_RESOURCES,
    type PodsArgs,
} from "./redis/pods.ts";
import { aclFile, AUTH_FILES, redisConf, replicationConf, sha256 } from "./redis/settings.ts";
import { disruptionBudget, RETAIN_VOLUMES, volumeClaim, type Resources } from "./workload.ts";

export interface RedisArgs {
    readonly namespace: pulumi.Input<string>;
    /** One pod, or a Redis Cluster of three primaries with a replica each. */
    readonly mode: "standalone" | "cluster";
    /** Redis 7 or newer. */
    readonly image: string;
    /** Image with Node, by which a cluster looks up its zones. */
    readonly nodeImage: string;
    readonly memoryLimit: string;
    readonly cpuRequest: string;
    /** Whether pods of a cluster wait rather than share a zone with more than one other. Default: false. */
    readonly requireZones?: boolean;
    /** Size of each pod's volume. */
    readonly storage: string;
    /** Default: the cluster's default class. */
    readonly storageClass?: string | undefined;
    /** By ACL user. */
    readonly passwords: Readonly<Record<RedisUser, pulumi.Input<string>>>;
    /** Passwords that Redis accepts too, by ACL user. Default: none. */
    readonly otherPasswords?: Readonly<Record<RedisUser, readonly pulumi.Input<string>[]>>;
}

type RedisUser = "app" | "exporter" | "admin";

type Size = Pick<RedisArgs, "mode" | "memoryLimit" | "cpuRequest">;

/** How many pods a mode has, and what the containers of each may use. */
export function redisSize(args: Size): { pods: number; containers: Resources[] } {
    const containers = [serverResources(args), SCRIPT_RESOURCES];
    return { pods: args.mode === "cluster" ? 6 : 1, containers };
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
        super("property-search:index:Redis", name, args, opts);
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
        const auth = new k8s.core.v1.Secret(
            `${name}-auth`,
            { metadata: metadata(AUTH_NAME), stringData: authFiles(args) },
            child,
        );
        // Without users: they change without a restart (tendNode.sh).
        const checksum = sha256(JSON.stringify(conf));

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
            nodeImage: args.nodeImage,
            requireZones: clustered && args.requireZones === true,
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
                    persistentVolumeClaimRetentionPolicy: RETAIN_VOLUMES,
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
            // Volumes of another size or class may be new ones, without a cluster (docs/runbooks/volumes.md).
            const formed = sha256(JSON.stringify([checksum, args.storage, args.storageClass]));
            new RedisFormation(
                `${name}-formation`,
                { namespace: args.namespace, checksum: formed, pod: formationPod(podsArgs) },
                { parent: this, dependsOn: [statefulSet] },
            );
        }
        this.registerOutputs({});
    }
}

/** What Redis, and the scripts beside it, know of users. */
function authFiles({ passwords, otherPasswords }: RedisArgs): Record<string, pulumi.Input<string>> {
    const user = (name: RedisUser) =>
        pulumi.output({ current: passwords[name], others: otherPasswords?.[name] ?? [] });
    const users = pulumi
        .all([user("app"), user("exporter"), user("admin")])
        .apply(([app, exporter, admin]) => aclFile({ app, exporter, admin }));
    const replication = pulumi.output(passwords.admin).apply(replicationConf);
    return {
        [AUTH_FILES.users]: pulumi.secret(users),
        [AUTH_FILES.replication]: pulumi.secret(replication),
        [AUTH_FILES.adminPassword]: pulumi.secret(passwords.admin),
    };
}

function configData(memoryLimit: string, clustered: boolean): Record<string, string> {
    return {
        "redis.conf": redisConf({ memoryLimit, clustered }),
        "tend-node.sh": scriptText("tendNode.sh"),
        ...(clustered && {
            "form-cluster.sh": scriptText("formCluster.sh"),
            "find-zones.mjs": scriptText("findZones.mjs"),
        }),
    };
}

function scriptText(file: string): string {
    return readFileSync(path.join(import.meta.dirname, "redis", file), "utf8");
}

function servicePort(name: string, port: number): k8s.types.input.core.v1.ServicePort {
    return { name, port, targetPort: name, protocol: "TCP" };
}
