import {
    ADMIN_SECRET,
    PORTS,
    REDIS_NAME,
    SERVICE_NAMES,
    type Colour as ColourName,
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

export interface EmbeddingServiceColourArgs {
    readonly colour: ColourName;
    readonly namespace: pulumi.Input<string>;
    readonly release: { readonly image: string; readonly version: string };
    readonly service: ServiceArgs;
    readonly autoscaling: ScalingSettings;
    readonly redis: RedisAccess;
    readonly tenants: Pick<TenantsArgs, "list" | "platformKey" | "otherPlatformKeys">;
    /** Bearer token of the pods' admin port. */
    readonly adminToken: pulumi.Input<string>;
}

/** Settings that both colours have in common. */
export interface ServiceArgs extends Pick<
    ServicePodArgs,
    "resources" | "settings" | "upstreamProxy" | "preStopSeconds"
> {
    /** The autoscaler's floor and limit. */
    readonly minReplicas: number;
    readonly maxReplicas: number;
    /** API key of the upstream, where the provider is one. Default: none. */
    readonly upstreamApiKey?: pulumi.Input<string> | undefined;
    /** Keys of its fallbacks in their order, with commas between. Default: they need none. */
    readonly upstreamFallbackApiKeys?: pulumi.Input<string> | undefined;
}

export type RedisAccess =
    /** Our own, in the data namespace. */
    | {
          readonly mode: "standalone" | "cluster";
          readonly passwords: { readonly app: pulumi.Input<string> };
      }
    /** Somebody else's, with an existing Secret of CREDENTIAL_KEYS in the colour's namespace. */
    | {
          readonly mode: "external";
          readonly url: string;
          readonly secretName: string;
          readonly clustered: boolean;
          readonly sentinel?: { readonly master: string } | undefined;
          readonly tls?: RedisTlsSecrets;
      };

/** One colour of the embedding service: its pods, their address, their scaling and their budget. */
export class Colour extends pulumi.ComponentResource {
    public readonly namespace: pulumi.Output<string>;
    public readonly serviceName: pulumi.Output<string>;

    constructor(
        name: string,
        args: EmbeddingServiceColourArgs,
        opts?: pulumi.ComponentResourceOptions,
    ) {
        super("property-search:index:EmbeddingServiceColour", name, args, opts);
        const child = { parent: this };
        const { colour, release, service } = args;
        // One fixed name for all: the route's backends, the release driver, the autoscaler and people
        // address a colour's objects by it.
        const objectName = SERVICE_NAMES[colour];
        const identity = { name: objectName, component: "embedding-service", colour };
        const matchLabels = selectorLabels(identity);
        const labels = standardLabels(identity);
        const metadata = (called: string) => ({
            name: called,
            namespace: args.namespace,
            labels,
        });

        const redis = redisFor(name, args.redis, metadata, child);
        const upstream = upstreamSecret(name, service, metadata, child);
        const tenants = tenantsSecret(
            `${name}-tenants`,
            { ...args.tenants, metadata: metadata(TENANTS_SECRET.name) },
            child,
        );
        const account = new k8s.core.v1.ServiceAccount(
            `${name}-account`,
            { metadata: metadata(objectName), automountServiceAccountToken: false },
            child,
        );
        const admin = new k8s.core.v1.Secret(
            `${name}-admin`,
            {
                metadata: metadata(ADMIN_SECRET.name),
                stringData: { [ADMIN_SECRET.key]: pulumi.secret(args.adminToken) },
            },
            child,
        );
        const pod = servicePod(
            {
                ...service,
                ...release,
                colour,
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
                // No replicas: they are the autoscaler's, and each update would take them back.
                spec: {
                    selector: { matchLabels },
                    strategy: {
                        type: "RollingUpdate",
                        rollingUpdate: { maxUnavailable: 0, maxSurge: "25%" },
                    },
                    minReadySeconds: 5,
                    progressDeadlineSeconds: 300,
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
                // The pods name them, so that no edge follows from the values.
                dependsOn: [
                    account,
                    admin,
                    tenants,
                    ...redis.objects,
                    ...(upstream ? [upstream] : []),
                ],
                // Longer than the progress deadline, whose message says more than a timeout's.
                customTimeouts: { create: "10m", update: "10m" },
            },
        );
        const exposed = new k8s.core.v1.Service(
            `${name}-service`,
            {
                metadata: metadata(objectName),
                spec: {
                    type: "ClusterIP",
                    selector: matchLabels,
                    ports: [
                        { name: "http", port: PORTS.service, targetPort: "http", protocol: "TCP" },
                    ],
                },
            },
            // Pulumi waits for a Service's endpoints, and so for ready pods.
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
        this.namespace = exposed.metadata.namespace;
        this.serviceName = exposed.metadata.name;
        this.registerOutputs({ namespace: this.namespace, serviceName: this.serviceName });
    }
}

/**
 * Of what the pods read from Secrets by their environment, which changes with a pod only. The hash of hashes
 * of random secrets gives nothing away. Files are followed while a pod runs, and an existing Secret of Redis
 * is mounted as files.
 */
function secretsChecksum({
    redis,
    service,
    adminToken,
}: EmbeddingServiceColourArgs): pulumi.Output<string> {
    const read = [
        adminToken,
        redis.mode === "external" ? "" : redis.passwords.app,
        service.upstreamApiKey ?? "",
        service.upstreamFallbackApiKeys ?? "",
    ];
    const checksum = pulumi
        .all(read)
        .apply((secrets) => sha256(JSON.stringify(secrets.map(sha256))));
    return pulumi.unsecret(checksum);
}

type Metadata = (called: string) => k8s.types.input.meta.v1.ObjectMeta;

/** How the pods reach Redis, and the objects that make it so. */
function redisFor(
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

/** The Secret with the upstream's keys; undefined where there are none. */
function upstreamSecret(
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
