import { PORTS, REDIS_NAME } from "@property-search/contract";
import type * as k8s from "@pulumi/kubernetes";
import { serviceHost } from "../addresses.ts";
import {
    containerResources,
    hardenedContainer,
    hardenedPod,
    spread,
    type Resources,
} from "../workload.ts";
import { AUTH_FOLDER, CONFIG_FOLDER, DATA_FOLDER, HEALTH_USER } from "./settings.ts";

type PodSpec = k8s.types.input.core.v1.PodSpec;
type Container = k8s.types.input.core.v1.Container;

/** Service without an address of its own that gives each pod a name. */
export const PODS_SERVICE = `${REDIS_NAME}-pods`;
export const CONFIG_NAME = `${REDIS_NAME}-config`;
export const AUTH_NAME = `${REDIS_NAME}-auth`;
/** Key of the auth Secret for the Job that forms the cluster. */
export const ADMIN_PASSWORD_KEY = "admin-password";

/** Of a shell script that calls redis-cli now and then. */
export const SCRIPT_RESOURCES: Resources = {
    cpuRequest: "20m",
    cpuLimit: "500m",
    memoryRequest: "32Mi",
    memoryLimit: "64Mi",
};

const PODS_DOMAIN = serviceHost(PODS_SERVICE, "data");

export interface PodsArgs {
    readonly image: string;
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

/** Pod of the StatefulSet. Its volume claim is named `data`. */
export function redisPod(args: PodsArgs): PodSpec {
    return {
        automountServiceAccountToken: false,
        enableServiceLinks: false,
        securityContext: hardenedPod(),
        // Redis writes a snapshot of up to all of its memory when it is asked to end.
        terminationGracePeriodSeconds: 120,
        topologySpreadConstraints: spread(args.matchLabels, "controller-revision-hash"),
        containers: [server(args), ...(args.clustered ? [introducer(args)] : [])],
        volumes: [
            { name: "config", configMap: { name: CONFIG_NAME } },
            {
                name: "auth",
                secret: {
                    secretName: AUTH_NAME,
                    defaultMode: 0o440,
                    items: ["users.acl", "replication.conf"].map((key) => ({ key, path: key })),
                },
            },
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
        securityContext: hardenedContainer(),
        volumeMounts: [
            { name: "data", mountPath: DATA_FOLDER },
            { name: "config", mountPath: CONFIG_FOLDER, readOnly: true },
            { name: "auth", mountPath: AUTH_FOLDER, readOnly: true },
        ],
    };
}

function ping(): k8s.types.input.core.v1.Probe {
    const login = ["--no-auth-warning", "--user", HEALTH_USER, "--pass", "none"];
    return { exec: { command: ["redis-cli", "-e", ...login, "ping"] } };
}

/** Tells a node where its peers are, whenever it has lost one. */
function introducer({ image, replicas }: PodsArgs): Container {
    return script("introduce-peers", image, replicas);
}

/** Pod of the Job that forms the cluster. */
export function formationPod({ image, replicas }: PodsArgs): PodSpec {
    return {
        restartPolicy: "OnFailure",
        automountServiceAccountToken: false,
        enableServiceLinks: false,
        securityContext: hardenedPod(),
        containers: [script("form-cluster", image, replicas)],
        volumes: [{ name: "config", configMap: { name: CONFIG_NAME } }],
    };
}

/** A container that runs one of the config's scripts with the image's own shell. */
function script(
    name: "form-cluster" | "introduce-peers",
    image: string,
    replicas: number,
): Container {
    return {
        name,
        image,
        imagePullPolicy: "IfNotPresent",
        command: ["/bin/sh", `${CONFIG_FOLDER}/${name}.sh`],
        env: [
            { name: "NODES", value: nodeList(replicas) },
            {
                name: "REDISCLI_AUTH",
                valueFrom: { secretKeyRef: { name: AUTH_NAME, key: ADMIN_PASSWORD_KEY } },
            },
        ],
        resources: containerResources(SCRIPT_RESOURCES),
        securityContext: hardenedContainer(),
        volumeMounts: [{ name: "config", mountPath: CONFIG_FOLDER, readOnly: true }],
    };
}
