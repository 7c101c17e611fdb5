import { PORTS, REDIS_NAME } from "@property-search/contract";
import type * as k8s from "@pulumi/kubernetes";
import { serviceHost } from "../addresses.ts";
import {
    containerResources,
    containerSecurityContext,
    podSecurityContext,
    READINESS_TIMING,
    topologySpread,
    type Resources,
} from "../workload.ts";
import { AUTH_FILES, AUTH_FOLDER, CONFIG_FOLDER, DATA_FOLDER, HEALTH_USER } from "./settings.ts";

type PodSpec = k8s.types.input.core.v1.PodSpec;
type Container = k8s.types.input.core.v1.Container;
type VolumeMount = k8s.types.input.core.v1.VolumeMount;

/** Headless Service, which gives each pod a DNS name. */
export const PODS_SERVICE = `${REDIS_NAME}-pods`;
export const CONFIG_NAME = `${REDIS_NAME}-config`;
export const AUTH_NAME = `${REDIS_NAME}-auth`;
/** Resources of a shell script that calls redis-cli periodically. */
export const SCRIPT_RESOURCES: Resources = {
    cpuRequest: "20m",
    cpuLimit: "500m",
    memoryRequest: "32Mi",
    memoryLimit: "64Mi",
};

/** Resources of a Node.js script with a dozen calls of the API server. */
const LOOKUP_RESOURCES: Resources = {
    cpuRequest: "20m",
    cpuLimit: "500m",
    memoryRequest: "64Mi",
    memoryLimit: "128Mi",
};

/** Name of the objects of the formation. */
export const FORMATION_NAME = `${REDIS_NAME}-formation`;

const ZONES_FOLDER = "/run/redis-zones";
const ZONES_FILE = `${ZONES_FOLDER}/zones`;
const PODS_DOMAIN = serviceHost(PODS_SERVICE, "data");

/** Arguments of the pods of Redis. */
export interface PodsArgs {
    /** Image of Redis. */
    readonly image: string;
    /** Image with Node.js, which looks up zones. */
    readonly nodeImage: string;
    /** Whether pods stay pending rather than run in fewer than ZONES zones, or unevenly. */
    readonly requireZones: boolean;
    /** Number of pods. */
    readonly replicas: number;
    /** Whether the pods are nodes of a Redis Cluster. */
    readonly clustered: boolean;
    /** Resources of the server. */
    readonly resources: Resources;
    /** Labels that select the pods. */
    readonly matchLabels: Record<string, string>;
}

/** `host:port` of every node, for the scripts. */
function nodeList(replicas: number): string {
    return Array.from(
        { length: replicas },
        (_, index) => `${REDIS_NAME}-${index}.${PODS_DOMAIN}:${PORTS.redis}`,
    ).join(" ");
}

/** Number of zones in which no zone needs to hold two of the three primaries. */
const ZONES = 3;

function nodeSpread({ matchLabels, requireZones }: PodsArgs): PodSpec["topologySpreadConstraints"] {
    return topologySpread(matchLabels, "controller-revision-hash").map((constraint) =>
        requireZones && constraint.topologyKey === "topology.kubernetes.io/zone"
            ? { ...constraint, whenUnsatisfiable: "DoNotSchedule", minDomains: ZONES }
            : constraint,
    );
}

/** Pod of the StatefulSet. Its volume claim is named `data`. */
export function redisPod(args: PodsArgs): PodSpec {
    return {
        automountServiceAccountToken: false,
        enableServiceLinks: false,
        securityContext: podSecurityContext(),
        // On SIGTERM, Redis writes a snapshot of up to all of its memory.
        terminationGracePeriodSeconds: 120,
        topologySpreadConstraints: nodeSpread(args),
        containers: [server(args), nodeTender(args)],
        volumes: [
            { name: "config", configMap: { name: CONFIG_NAME } },
            { name: "auth", secret: { secretName: AUTH_NAME, defaultMode: 0o440 } },
        ],
    };
}

function server({ image, clustered, resources }: PodsArgs): Container {
    return {
        name: "redis",
        image,
        imagePullPolicy: "IfNotPresent",
        command: ["redis-server", `${CONFIG_FOLDER}/redis.conf`],
        ...(clustered && {
            // The addresses in nodes.conf are those of the previous pod.
            args: [
                ...["--cluster-announce-ip", "$(POD_IP)"],
                ...["--cluster-announce-hostname", `$(POD_NAME).${PODS_DOMAIN}`],
            ],
            env: [
                { name: "POD_NAME", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } },
                { name: "POD_IP", valueFrom: { fieldRef: { fieldPath: "status.podIP" } } },
            ],
        }),
        ports: [
            { name: "redis", containerPort: PORTS.redis, protocol: "TCP" },
            ...(clustered ? [{ name: "bus", containerPort: PORTS.redisBus, protocol: "TCP" }] : []),
        ],
        // Loading a snapshot may take minutes.
        startupProbe: { ...ping(), periodSeconds: 2, timeoutSeconds: 5, failureThreshold: 150 },
        readinessProbe: { ...ping(), ...READINESS_TIMING },
        // By TCP only: a replica that loads the data of its primary answers no command, and a restart would start
        // over.
        livenessProbe: {
            tcpSocket: { port: "redis" },
            periodSeconds: 10,
            timeoutSeconds: 5,
            failureThreshold: 6,
        },
        resources: containerResources(resources),
        securityContext: containerSecurityContext(),
        volumeMounts: [
            { name: "data", mountPath: DATA_FOLDER },
            { name: "config", mountPath: CONFIG_FOLDER, readOnly: true },
            AUTH_MOUNT,
        ],
    };
}

const CONFIG_MOUNT = { name: "config", mountPath: CONFIG_FOLDER, readOnly: true };

/** A directory, not a single file (subPath), so that changes of the Secret reach the pod. */
const AUTH_MOUNT = { name: "auth", mountPath: AUTH_FOLDER, readOnly: true };

function ping(): k8s.types.input.core.v1.Probe {
    const login = ["--no-auth-warning", "--user", HEALTH_USER, "--pass", "none"];
    return { exec: { command: ["redis-cli", "-e", ...login, "ping"] } };
}

/** Applies changed users without a restart, and keeps the addresses of cluster nodes up to date. */
function nodeTender({ image, replicas, clustered }: PodsArgs): Container {
    return script("tend-node", image, {
        env: [
            { name: "AUTH", value: AUTH_FOLDER },
            ...(clustered ? [{ name: "NODES", value: nodeList(replicas) }] : []),
        ],
        volumeMounts: [AUTH_MOUNT],
    });
}

/** Pod that forms or repairs the cluster, over the zones of the machines that its nodes are on. */
export function formationPod({ image, nodeImage, replicas }: PodsArgs): PodSpec {
    const nodes = { name: "NODES", value: nodeList(replicas) };
    const zones = { name: "zones", mountPath: ZONES_FOLDER };
    const password = { name: AUTH_NAME, key: AUTH_FILES.adminPassword };
    return {
        restartPolicy: "OnFailure",
        serviceAccountName: FORMATION_NAME,
        // It reads pods and machines, see FormationAccount.
        automountServiceAccountToken: true,
        // Kubernetes' own address is in the environment of every pod, whatever this says.
        enableServiceLinks: false,
        securityContext: podSecurityContext(),
        initContainers: [
            {
                name: "find-zones",
                image: nodeImage,
                imagePullPolicy: "IfNotPresent",
                command: ["node", `${CONFIG_FOLDER}/find-zones.mjs`],
                env: [
                    nodes,
                    {
                        name: "NAMESPACE",
                        valueFrom: { fieldRef: { fieldPath: "metadata.namespace" } },
                    },
                    { name: "OUT", value: ZONES_FILE },
                ],
                resources: containerResources(LOOKUP_RESOURCES),
                securityContext: containerSecurityContext(),
                volumeMounts: [CONFIG_MOUNT, zones],
            },
        ],
        containers: [
            script("form-cluster", image, {
                env: [
                    nodes,
                    { name: "ZONES", value: ZONES_FILE },
                    { name: "REDISCLI_AUTH", valueFrom: { secretKeyRef: password } },
                ],
                volumeMounts: [{ ...zones, readOnly: true }],
            }),
        ],
        volumes: [
            { name: "config", configMap: { name: CONFIG_NAME } },
            { name: "zones", emptyDir: { sizeLimit: "1Mi" } },
        ],
    };
}

/** A container that runs one of the config's scripts with the image's own shell. */
function script(
    name: "form-cluster" | "tend-node",
    image: string,
    { env, volumeMounts = [] }: Pick<Container, "env"> & { volumeMounts?: VolumeMount[] },
): Container {
    return {
        name,
        image,
        imagePullPolicy: "IfNotPresent",
        command: ["/bin/sh", `${CONFIG_FOLDER}/${name}.sh`],
        ...(env && { env }),
        resources: containerResources(SCRIPT_RESOURCES),
        securityContext: containerSecurityContext(),
        volumeMounts: [CONFIG_MOUNT, ...volumeMounts],
    };
}
