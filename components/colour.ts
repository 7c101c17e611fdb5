import {
    ENVIRONMENT,
    NAMESPACES,
    PATHS,
    PORTS,
    REDIS_NAME,
    SERVICE_NAMES,
    type Colour as ColourName,
} from "@property-search/contract";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import type { RedisConfig, ServiceConfig } from "../config.ts";
import { Autoscaler } from "./autoscaler.ts";
import { selectorLabels, standardLabels } from "./labels.ts";
import { disruptionBudget, hardenedContainer, hardenedPod, httpProbe, spread } from "./workload.ts";

export interface ColourArgs {
    readonly colour: ColourName;
    /** Image with an exact tag or a digest. */
    readonly image: string;
    readonly version: string;
    readonly service: ServiceConfig;
    readonly redis: RedisConfig;
    /** Mean CPU use in percent of the request that the autoscaler aims at. */
    readonly cpuPercent: number;
}

/** Pods that a rollout may add, in percent of the wanted number. */
export const MAX_SURGE_PERCENT = 25;
/** Seconds between the longest request's end and the kill: closing connections, the last log lines. */
const GRACE_MARGIN_SECONDS = 10;
const REDIS_SECRET = "redis-credentials";
const UPSTREAM_SECRET = "upstream-credentials";

/**
 * One colour of the embedding service: its Deployment, Service, autoscaler, disruption budget, account
 * and the credentials it reads. Both colours are this component with other images.
 */
export class Colour extends pulumi.ComponentResource {
    /** Name of the Service, once it has ready pods. */
    public readonly serviceName: pulumi.Output<string>;

    constructor(name: string, args: ColourArgs, opts?: pulumi.ComponentResourceOptions) {
        super("platform:index:Colour", name, args, opts);
        const { colour, version } = args;
        const fixedName = SERVICE_NAMES[colour];
        const identity = { name: fixedName, component: "embedding-service", colour };
        const labels = standardLabels({ ...identity, version });
        const matchLabels = selectorLabels(identity);
        // Fixed names: routes, alerts, the release driver and people address them.
        const metadata = { name: fixedName, namespace: NAMESPACES[colour], labels };
        const child = { parent: this };

        new k8s.core.v1.ServiceAccount(
            `${name}-account`,
            { metadata, automountServiceAccountToken: false },
            child,
        );
        const secrets = this.#secrets(name, args, labels);
        const deployment = new k8s.apps.v1.Deployment(
            `${name}-deployment`,
            {
                metadata,
                spec: {
                    // No replicas: the autoscaler owns them.
                    selector: { matchLabels },
                    strategy: {
                        type: "RollingUpdate",
                        rollingUpdate: { maxUnavailable: 0, maxSurge: `${MAX_SURGE_PERCENT}%` },
                    },
                    minReadySeconds: 5,
                    progressDeadlineSeconds: 300,
                    revisionHistoryLimit: 5,
                    template: { metadata: { labels }, spec: podSpec(args, fixedName, matchLabels) },
                },
            },
            // Longer than the progress deadline, so that Kubernetes' reason is what one gets to read.
            { ...child, dependsOn: secrets, customTimeouts: { create: "10m", update: "10m" } },
        );
        const service = new k8s.core.v1.Service(
            `${name}-service`,
            {
                metadata,
                spec: {
                    type: "ClusterIP",
                    selector: matchLabels,
                    ports: [{ name: "http", port: PORTS.service, targetPort: "http" }],
                },
            },
            { ...child, dependsOn: [deployment] },
        );
        new k8s.policy.v1.PodDisruptionBudget(
            `${name}-budget`,
            { metadata, spec: disruptionBudget(matchLabels) },
            child,
        );
        new Autoscaler(
            name,
            {
                namespace: NAMESPACES[colour],
                deployment: fixedName,
                minReplicas: args.service.minReplicas,
                maxReplicas: args.service.maxReplicas,
                cpuPercent: args.cpuPercent,
                labels,
            },
            { ...child, dependsOn: [deployment] },
        );
        this.serviceName = service.metadata.name;
        this.registerOutputs({ serviceName: this.serviceName });
    }

    /** Credentials in the colour's own namespace, and Redis under the name that REDIS_URL has. */
    #secrets(name: string, args: ColourArgs, labels: Record<string, string>): pulumi.Resource[] {
        const { redis, service, colour } = args;
        const namespace = NAMESPACES[colour];
        const made: pulumi.Resource[] = [];
        if (redis.mode !== "external") {
            made.push(
                new k8s.core.v1.Secret(
                    `${name}-redis-credentials`,
                    {
                        metadata: { name: REDIS_SECRET, namespace, labels },
                        type: "kubernetes.io/basic-auth",
                        stringData: { username: "app", password: redis.passwords.app },
                    },
                    { parent: this },
                ),
                new k8s.core.v1.Service(
                    `${name}-redis`,
                    {
                        metadata: { name: REDIS_NAME, namespace, labels },
                        spec: {
                            type: "ExternalName",
                            externalName: `${REDIS_NAME}.${NAMESPACES.data}.svc.cluster.local`,
                        },
                    },
                    { parent: this },
                ),
            );
        }
        if (service.upstreamApiKey) {
            made.push(
                new k8s.core.v1.Secret(
                    `${name}-upstream-credentials`,
                    {
                        metadata: { name: UPSTREAM_SECRET, namespace, labels },
                        type: "Opaque",
                        stringData: { apiKey: service.upstreamApiKey },
                    },
                    { parent: this },
                ),
            );
        }
        return made;
    }
}

function podSpec(
    args: ColourArgs,
    account: string,
    matchLabels: Record<string, string>,
): k8s.types.input.core.v1.PodSpec {
    const { service, image } = args;
    return {
        serviceAccountName: account,
        automountServiceAccountToken: false,
        enableServiceLinks: false,
        securityContext: hardenedPod(),
        terminationGracePeriodSeconds:
            service.preStopSeconds + service.longestRequestSeconds + GRACE_MARGIN_SECONDS,
        topologySpreadConstraints: spread(matchLabels),
        containers: [
            {
                name: "embedding-service",
                image,
                imagePullPolicy: "IfNotPresent",
                ports: [{ name: "http", containerPort: PORTS.service, protocol: "TCP" }],
                env: environment(args),
                resources: {
                    requests: {
                        cpu: service.cpuRequest,
                        memory: service.memoryRequest,
                        "ephemeral-storage": "64Mi",
                    },
                    limits: {
                        cpu: service.cpuLimit,
                        memory: service.memoryLimit,
                        "ephemeral-storage": "256Mi",
                    },
                },
                // A model takes seconds to load, at worst a minute; nothing restarts the pod before.
                startupProbe: httpProbe(PATHS.startup, {
                    periodSeconds: 1,
                    timeoutSeconds: 1,
                    failureThreshold: 60,
                }),
                // Out of the Service within six seconds, back with the first success.
                readinessProbe: httpProbe(PATHS.ready, {
                    periodSeconds: 3,
                    timeoutSeconds: 2,
                    failureThreshold: 2,
                }),
                // Slower than readiness: a restart takes capacity away and helps only a process that hangs.
                livenessProbe: httpProbe(PATHS.live, {
                    periodSeconds: 10,
                    timeoutSeconds: 5,
                    failureThreshold: 6,
                }),
                // The pod leaves its Service when its end is decided; it serves on until gateways know.
                lifecycle: { preStop: { sleep: { seconds: service.preStopSeconds } } },
                securityContext: hardenedContainer(),
                volumeMounts: [{ name: "tmp", mountPath: "/tmp" }],
            },
        ],
        volumes: [{ name: "tmp", emptyDir: { sizeLimit: "64Mi" } }],
    };
}

function environment(args: ColourArgs): k8s.types.input.core.v1.EnvVar[] {
    const { colour, version, service, redis } = args;
    const external = redis.mode === "external";
    const credentials = external ? redis.secretName : REDIS_SECRET;
    const plain = {
        [ENVIRONMENT.port]: String(PORTS.service),
        [ENVIRONMENT.colour]: colour,
        [ENVIRONMENT.version]: version,
        [ENVIRONMENT.redisUrl]: external ? redis.url : `redis://${REDIS_NAME}:${PORTS.redis}`,
        [ENVIRONMENT.redisMode]: redis.mode === "cluster" ? "cluster" : "standalone",
        [ENVIRONMENT.cacheTtl]: String(service.cacheTtl),
        [ENVIRONMENT.maxLocalCacheSize]: String(service.maxLocalCacheSize),
        [ENVIRONMENT.costPerRequest]: service.costPerRequest,
        [ENVIRONMENT.provider]: service.provider,
        [ENVIRONMENT.model]: service.model,
        [ENVIRONMENT.modelThreads]: String(service.modelThreads),
        [ENVIRONMENT.drainTimeout]: String(service.longestRequestSeconds),
        ...(service.upstreamUrl !== undefined && {
            [ENVIRONMENT.upstreamUrl]: service.upstreamUrl,
        }),
    };
    return [
        ...Object.entries(plain).map(([name, value]) => ({ name, value })),
        fromSecret(ENVIRONMENT.redisUsername, credentials, "username"),
        fromSecret(ENVIRONMENT.redisPassword, credentials, "password"),
        ...(service.upstreamApiKey
            ? [fromSecret(ENVIRONMENT.upstreamApiKey, UPSTREAM_SECRET, "apiKey")]
            : []),
    ];
}

function fromSecret(name: string, secret: string, key: string): k8s.types.input.core.v1.EnvVar {
    return { name, valueFrom: { secretKeyRef: { name: secret, key } } };
}
