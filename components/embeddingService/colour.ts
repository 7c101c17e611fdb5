import {
    ADMIN_SECRET,
    PORTS,
    REDIS_NAME,
    SERVICE_NAMES,
    type Colour,
} from "@property-search/contract";
import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { serviceHost } from "../addresses.ts";
import { Autoscaler } from "../autoscaler.ts";
import type { ScalingSettings } from "../autoscaler/scaling.ts";
import {
    API_KEY_KEY,
    FALLBACK_API_KEYS_KEY,
    servicePod,
    servicePorts,
    CREDENTIAL_KEYS,
    type ServicePodArgs,
    type RedisTlsSecrets,
} from "./pod.ts";
import { selectorLabels, standardLabels } from "../labels.ts";
import { APP_USER, sha256 } from "../redis/settings.ts";
import { tenantsSecret, TENANTS_SECRET, type TenantsArgs } from "./tenants.ts";
import { disruptionBudget } from "../workload.ts";

const CREDENTIALS_NAME = "redis-credentials";
const API_KEY_NAME = "upstream-api-key";
/** Time without progress, such as for a pod that cannot start, after which Kubernetes reports a rollout as failed. */
const PROGRESS_DEADLINE_SECONDS = 300;
/** Pulumi's provider waits for its timeout even then: a minute more lets its error include Kubernetes' message. */
const ROLLOUT_TIMEOUT = `${PROGRESS_DEADLINE_SECONDS + 60}s`;

/** Arguments of `EmbeddingServiceColour`. */
export interface EmbeddingServiceColourArgs {
    /** Colour, which names and labels contain. */
    readonly colour: Colour;
    /** Namespace of all objects. */
    readonly namespace: pulumi.Input<string>;
    /** Image of the service, and its version as a label. */
    readonly release: { readonly image: string; readonly version: string };
    /** Settings that both colours share. */
    readonly service: ServiceArgs;
    /** Settings of the autoscaler. */
    readonly autoscaling: ScalingSettings;
    /** Access to Redis. */
    readonly redis: RedisAccess;
    /** Tenants of the service. */
    readonly tenants: TenantsArgs;
    /** Bearer token of the pods' admin port, at least 32 characters. */
    readonly adminToken: pulumi.Input<string>;
    /**
     * Bearer token of the pods' automation port, at least 32 characters.
     * @default none: the pods have no automation port
     */
    readonly automationToken?: pulumi.Input<string> | undefined;
}

/** Settings that both colours share. */
export interface ServiceArgs extends Pick<
    ServicePodArgs,
    "resources" | "settings" | "upstreamProxy" | "preStopSeconds"
> {
    /**
     * Fewest pods of each colour.
     * @default 2
     */
    readonly minReplicas: number;
    /**
     * Most pods of each colour.
     * @default 10
     */
    readonly maxReplicas: number;
    /**
     * API key of the upstream, which the provider `openai` needs.
     * @default none
     */
    readonly upstreamApiKey?: pulumi.Input<string> | undefined;
    /**
     * API keys of the upstream's fallbacks in the order of their URLs, comma-separated.
     * @default none
     */
    readonly upstreamFallbackApiKeys?: pulumi.Input<string> | undefined;
}

/** Access of the service to Redis. */
export type RedisAccess =
    | {
          /**
           * Mode of the `Redis` component in the data namespace.
           * @default "standalone"
           */
          readonly mode?: "standalone" | "cluster";
          /** Password of the ACL user `app` of that component. */
          readonly passwords: { readonly app: pulumi.Input<string> };
      }
    | {
          /** An existing Redis, such as a managed one. */
          readonly mode: "external";
          /** URL of Redis, or comma-separated URLs of the nodes or sentinels. It has no password. */
          readonly url: string;
          /** Existing Secret of CREDENTIAL_KEYS in the namespace of each colour. */
          readonly secretName: string;
          /** Whether Redis speaks the protocol of Redis Cluster. */
          readonly clustered: boolean;
          /**
           * Name that the sentinels have for the primary.
           * @default none: the URL is that of Redis itself
           */
          readonly sentinel?: { readonly master: string } | undefined;
          /**
           * Existing Secrets with the certificates of TLS connections.
           * @default none
           */
          readonly tls?: RedisTlsSecrets;
      };

/** One colour of the embedding service: pods, a Service, an autoscaler and a disruption budget. */
export class EmbeddingServiceColour extends pulumi.ComponentResource {
    /** Namespace of the Service. */
    public readonly namespace: pulumi.Output<string>;
    /** Name of the Service. */
    public readonly serviceName: pulumi.Output<string>;

    constructor(
        name: string,
        args: EmbeddingServiceColourArgs,
        opts?: pulumi.ComponentResourceOptions,
    ) {
        super("property-search:index:EmbeddingServiceColour", name, args, opts);
        const child = { parent: this };
        const { colour, release, service } = args;
        // One fixed name for all objects of a colour: routes, the release driver and runbooks refer to it.
        const objectName = SERVICE_NAMES[colour];
        const identity = { name: objectName, component: "embedding-service", colour };
        const matchLabels = selectorLabels(identity);
        const labels = standardLabels(identity);
        const metadata = (name: string) => ({
            name,
            namespace: args.namespace,
            labels,
        });

        const redis = createRedisAccess(name, args.redis, metadata, child);
        const upstream = createUpstreamSecret(name, service, metadata, child);
        const tenants = tenantsSecret(
            `${name}-tenants`,
            metadata(TENANTS_SECRET.name),
            args.tenants,
            child,
        );
        const serviceAccount = new k8s.core.v1.ServiceAccount(
            `${name}-account`,
            { metadata: metadata(objectName), automountServiceAccountToken: false },
            child,
        );
        const admin = new k8s.core.v1.Secret(
            `${name}-admin`,
            {
                metadata: metadata(ADMIN_SECRET.name),
                stringData: {
                    [ADMIN_SECRET.key]: pulumi.secret(args.adminToken),
                    ...(args.automationToken !== undefined && {
                        [ADMIN_SECRET.automationKey]: pulumi.secret(args.automationToken),
                    }),
                },
            },
            child,
        );
        const pod = servicePod(
            {
                ...service,
                ...release,
                colour,
                automated: args.automationToken !== undefined,
                redis: redis.access,
                upstreamSecret: upstream && {
                    name: API_KEY_NAME,
                    hasFallbackKeys: service.upstreamFallbackApiKeys !== undefined,
                },
            },
            objectName,
            matchLabels,
        );
        const deployment = new k8s.apps.v1.Deployment(
            `${name}-deployment`,
            {
                metadata: {
                    ...metadata(objectName),
                    labels: standardLabels({ ...identity, version: release.version }),
                },
                // No replicas: the autoscaler owns them, and each update would reset them.
                spec: {
                    selector: { matchLabels },
                    strategy: {
                        type: "RollingUpdate",
                        rollingUpdate: { maxUnavailable: 0, maxSurge: "25%" },
                    },
                    minReadySeconds: 5,
                    progressDeadlineSeconds: PROGRESS_DEADLINE_SECONDS,
                    revisionHistoryLimit: 5,
                    template: {
                        metadata: {
                            labels: standardLabels({ ...identity, version: release.version }),
                            annotations: { "checksum/secrets": secretsChecksum(args) },
                        },
                        spec: pod,
                    },
                },
            },
            {
                parent: this,
                // The pods refer to these by name, so that Pulumi sees no dependency.
                dependsOn: [
                    serviceAccount,
                    admin,
                    tenants,
                    ...redis.objects,
                    ...(upstream ? [upstream] : []),
                ],
                customTimeouts: { create: ROLLOUT_TIMEOUT, update: ROLLOUT_TIMEOUT },
            },
        );
        const clusterService = new k8s.core.v1.Service(
            `${name}-service`,
            {
                metadata: metadata(objectName),
                spec: {
                    type: "ClusterIP",
                    selector: matchLabels,
                    ports: servicePorts(args.automationToken !== undefined).map((port) => ({
                        name: port.name,
                        port: port.containerPort,
                        targetPort: port.name,
                        protocol: port.protocol,
                    })),
                },
            },
            // Pulumi waits for the endpoints of a Service, and so for ready pods.
            { parent: this, dependsOn: [deployment] },
        );
        new k8s.policy.v1.PodDisruptionBudget(
            `${name}-budget`,
            { metadata: metadata(objectName), spec: disruptionBudget(matchLabels) },
            child,
        );
        new Autoscaler(
            `${name}-autoscaler`,
            {
                ...args.autoscaling,
                target: {
                    name: deployment.metadata.name,
                    namespace: deployment.metadata.namespace,
                    colour,
                },
                minReplicas: service.minReplicas,
                maxReplicas: service.maxReplicas,
                labels,
            },
            child,
        );
        this.namespace = clusterService.metadata.namespace;
        this.serviceName = clusterService.metadata.name;
        this.registerOutputs({ namespace: this.namespace, serviceName: this.serviceName });
    }
}

/**
 * Checksum of the secrets that pods read as environment variables, which change only with a new pod. The hash of
 * hashes of random secrets reveals nothing. Mounted Secrets, such as that of an existing Redis, need no new pod.
 */
function secretsChecksum({
    redis,
    service,
    adminToken,
    automationToken,
}: EmbeddingServiceColourArgs): pulumi.Output<string> {
    const read = [
        adminToken,
        redis.mode === "external" ? "" : redis.passwords.app,
        service.upstreamApiKey ?? "",
        service.upstreamFallbackApiKeys ?? "",
        ...(automationToken === undefined ? [] : [automationToken]),
    ];
    const checksum = pulumi
        .all(read)
        .apply((secrets) => sha256(JSON.stringify(secrets.map(sha256))));
    return pulumi.unsecret(checksum);
}

type Metadata = (name: string) => k8s.types.input.meta.v1.ObjectMeta;

/** Declares the objects by which pods reach Redis, and returns its address and login. */
function createRedisAccess(
    name: string,
    redis: RedisAccess,
    metadata: Metadata,
    child: pulumi.CustomResourceOptions,
): { access: ServicePodArgs["redis"]; objects: pulumi.Resource[] } {
    if (redis.mode === "external") return { access: { ...redis, followed: true }, objects: [] };
    const credentials = new k8s.core.v1.Secret(
        `${name}-redis-credentials`,
        {
            metadata: metadata(CREDENTIALS_NAME),
            type: "kubernetes.io/basic-auth",
            stringData: {
                [CREDENTIAL_KEYS.username]: APP_USER,
                [CREDENTIAL_KEYS.password]: pulumi.secret(redis.passwords.app),
            },
        },
        child,
    );
    const alias = new k8s.core.v1.Service(
        `${name}-redis`,
        {
            metadata: metadata(REDIS_NAME),
            spec: { type: "ExternalName", externalName: serviceHost(REDIS_NAME, "data") },
        },
        child,
    );
    return {
        access: {
            url: `redis://${REDIS_NAME}:${PORTS.redis}`,
            clustered: redis.mode === "cluster",
            secretName: CREDENTIALS_NAME,
        },
        objects: [credentials, alias],
    };
}

/** Declares the Secret with the upstream's API keys. @returns undefined where there are none */
function createUpstreamSecret(
    name: string,
    { upstreamApiKey, upstreamFallbackApiKeys }: ServiceArgs,
    metadata: Metadata,
    child: pulumi.CustomResourceOptions,
): k8s.core.v1.Secret | undefined {
    if (upstreamApiKey === undefined) return undefined;
    return new k8s.core.v1.Secret(
        `${name}-upstream-api-key`,
        {
            metadata: metadata(API_KEY_NAME),
            stringData: {
                [API_KEY_KEY]: pulumi.secret(upstreamApiKey),
                ...(upstreamFallbackApiKeys !== undefined && {
                    [FALLBACK_API_KEYS_KEY]: pulumi.secret(upstreamFallbackApiKeys),
                }),
            },
        },
        child,
    );
}
