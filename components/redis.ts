import { formatCpu, NAMESPACES, parseCpu, PORTS, REDIS_NAME } from "@property-search/contract";
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

/** Arguments of `Redis`; only the passwords are required. */
export interface RedisArgs {
    /** Password of each ACL user, at least 8 characters. */
    readonly passwords: Readonly<Record<RedisUser, pulumi.Input<string>>>;
    /**
     * Passwords that Redis also accepts, by ACL user, while one password replaces another.
     * @default none
     */
    readonly otherPasswords?: Readonly<Record<RedisUser, readonly pulumi.Input<string>[]>>;
    /**
     * Namespace of all objects. Clients and scripts address Redis in the default one.
     * @default "property-search-data"
     */
    readonly namespace?: pulumi.Input<string>;
    /**
     * `standalone`: one pod. `cluster`: a Redis Cluster of three primaries with one replica each.
     * @default "standalone"
     */
    readonly mode?: "standalone" | "cluster";
    /**
     * Image of Redis 7 or newer.
     * @default "redis:8.2.3-bookworm"
     */
    readonly image?: string;
    /**
     * Image with Node.js, which looks up the zones of a cluster's nodes.
     * @default "node:24.11.1-bookworm-slim"
     */
    readonly nodeImage?: string;
    /**
     * Memory of each pod, as a Kubernetes quantity. Three quarters of it hold data.
     * @default "1Gi"
     */
    readonly memoryLimit?: string;
    /**
     * CPU request of each pod, as a Kubernetes quantity. The limit is twice as much, and at least one CPU.
     * @default "250m"
     */
    readonly cpuRequest?: string;
    /**
     * Whether a pod of a cluster stays pending rather than share a zone with more than one other pod.
     * @default false
     */
    readonly requireZones?: boolean;
    /**
     * Size of each pod's volume, as a Kubernetes quantity. It must hold two snapshots.
     * @default "2Gi"
     */
    readonly storage?: string;
    /**
     * StorageClass of the volumes.
     * @default the default class of the Kubernetes cluster
     */
    readonly storageClass?: string | undefined;
}

type RedisUser = "app" | "exporter" | "admin";

/** Values of the arguments that a `Redis` is created without. */
export const DEFAULT_REDIS = {
    namespace: NAMESPACES.data,
    mode: "standalone",
    image: "redis:8.2.3-bookworm",
    nodeImage: "node:24.11.1-bookworm-slim",
    memoryLimit: "1Gi",
    cpuRequest: "250m",
    requireZones: false,
    storage: "2Gi",
} as const satisfies Partial<RedisArgs>;

type Size = Required<Pick<RedisArgs, "mode" | "memoryLimit" | "cpuRequest">>;

/** Number of pods in a mode, and resources of the containers of each. */
export function redisSize(args: Size): { pods: number; containers: Resources[] } {
    const containers = [serverResources(args), SCRIPT_RESOURCES];
    return { pods: args.mode === "cluster" ? 6 : 1, containers };
}

function serverResources({ memoryLimit, cpuRequest }: Size): Resources {
    return {
        cpuRequest,
        // One core runs commands; the other half is for I/O threads, snapshots and lazy freeing.
        cpuLimit: formatCpu(Math.max(1, 2 * (parseCpu(cpuRequest) ?? NaN))),
        // Request and limit are equal: a cache always fills its memory.
        memoryRequest: memoryLimit,
        memoryLimit,
    };
}

/**
 * The shared cache of the embedding service: Redis with ACL users, snapshots on volumes and bounded memory.
 *
 * @example
 * ```ts
 * const password = (user: string) => config.requireSecret(`${user}Password`);
 * new Redis("redis", {
 *     passwords: { app: password("app"), exporter: password("exporter"), admin: password("admin") },
 * });
 * ```
 */
export class Redis extends pulumi.ComponentResource {
    constructor(name: string, given: RedisArgs, opts?: pulumi.ComponentResourceOptions) {
        super("property-search:index:Redis", name, given, opts);
        const args = { ...DEFAULT_REDIS, ...given };
        const child = { parent: this };
        const clustered = args.mode === "cluster";
        const { pods } = redisSize(args);
        const identity = { name: REDIS_NAME, component: "cache" };
        const matchLabels = selectorLabels(identity);
        // Names are fixed: the pods' addresses contain them, and the program is also applied without
        // Pulumi's engine, which would generate names.
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
        // Without the users, which change without a restart (tendNode.sh).
        const checksum = sha256(JSON.stringify(conf));

        const headless = new k8s.core.v1.Service(
            `${name}-pods`,
            {
                metadata: metadata(PODS_SERVICE),
                spec: {
                    clusterIP: "None",
                    // Nodes must find each other before the cluster exists, and only the cluster makes them ready.
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
            requireZones: clustered && args.requireZones,
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
                // The pods refer to all three by name, so that Pulumi sees no dependency.
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
            // Pulumi waits for the endpoints of a Service, and so for ready pods.
            { parent: this, dependsOn: [statefulSet] },
        );
        new k8s.policy.v1.PodDisruptionBudget(
            `${name}-budget`,
            { metadata: metadata(REDIS_NAME), spec: disruptionBudget(matchLabels) },
            child,
        );
        if (clustered) {
            // Volumes of another size or class may be new and empty (docs/runbooks/volumes.md).
            const checksumWithVolumes = sha256(
                JSON.stringify([checksum, args.storage, args.storageClass]),
            );
            new RedisFormation(
                `${name}-formation`,
                {
                    namespace: args.namespace,
                    checksum: checksumWithVolumes,
                    pod: formationPod(podsArgs),
                },
                { parent: this, dependsOn: [statefulSet] },
            );
        }
        this.registerOutputs({});
    }
}

/** Files with the users, for Redis and for the scripts in its pods. */
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
