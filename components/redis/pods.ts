import { PORTS, REDIS_NAME } from "@property-search/contract";
import type * as k8s from "@pulumi/kubernetes";
import { serviceHost } from "../addresses.ts";
import {
    containerResources,
    containerSecurityContext,
    podSecurityContext,
    topologySpread,
    type Resources,
} from "../workload.ts";
import { AUTH_FILES, AUTH_FOLDER, CONFIG_FOLDER, DATA_FOLDER, HEALTH_USER } from "./settings.ts";

type PodSpec = k8s.types.input.core.v1.PodSpec;
type Container = k8s.types.input.core.v1.Container;
type VolumeMount = k8s.types.input.core.v1.VolumeMount;

/** Service without an address of its own that gives each pod a name. */
export const PODS_SERVICE = `${REDIS_NAME}-pods`;
export const CONFIG_NAME = `${REDIS_NAME}-config`;
export const AUTH_NAME = `${REDIS_NAME}-auth`;
/** Of a shell script that calls redis-cli now and then. */
export const SCRIPT_RESOURCES: Resources = {
    cpuRequest: "20m",
    cpuLimit: "500m",
    memoryRequest: "32Mi",
    memoryLimit: "64Mi",
};

/** Of a script of Node that asks the API server a dozen times. */
const LOOKUP_RESOURCES: Resources = {
    cpuRequest: "20m",
    cpuLimit: "500m",
    memoryRequest: "64Mi",
    memoryLimit: "128Mi",
};

/** The formation's pods, their account and their rights are called so. */
export const FORMATION_NAME = `${REDIS_NAME}-formation`;

const ZONES_FOLDER = "/run/redis-zones";
const ZONES_FILE = `${ZONES_FOLDER}/zones`;
const PODS_DOMAIN = serviceHost(PODS_SERVICE, "data");

export interface PodsArgs {
    readonly image: string;
    /** Image with Node, for the look-up of zones. */
    readonly nodeImage: string;
    /** Whether the pods wait rather than run in fewer than ZONES zones, or unevenly. */
    readonly requireZones: boolean;
    readonly replicas: number;
    readonly clustered: boolean;
    readonly resources: Resources;
    readonly matchLabels: Record<string, string>;
}

/** `host:port` of every node, for the scripts. */
function nodeList(replicas: number): string {
    return Array.from(
        { length: replicas },
        (_, index) => `${REDIS_NAME}-${index}.${PODS_DOMAIN}:${PORTS.redis}`,
    ).join(" ");
}

/** By which no zone can come to hold two of three primaries. */
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
        // Redis writes a snapshot of up to all of its memory when it is asked to end.
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
            // Remembered addresses are those of the pod's predecessor.
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
        // Loading a snapshot takes as long as it takes; nothing else counts until it is done.
        startupProbe: { ...ping(), periodSeconds: 2, timeoutSeconds: 5, failureThreshold: 150 },
        readinessProbe: { ...ping(), periodSeconds: 5, timeoutSeconds: 3, failureThreshold: 3 },
        // By TCP alone: a replica that loads its primary's data answers no command, and a restart would
        // make it begin again.
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

/** A folder, not a file: only then does a changed Secret arrive in the pod. */
const AUTH_MOUNT = { name: "auth", mountPath: AUTH_FOLDER, readOnly: true };

function ping(): k8s.types.input.core.v1.Probe {
    const login = ["--no-auth-warning", "--user", HEALTH_USER, "--pass", "none"];
    return { exec: { command: ["redis-cli", "-e", ...login, "ping"] } };
}

/** Sets users that changed without a restart, and tells a node of a cluster where its peers are. */
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
