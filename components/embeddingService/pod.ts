import { ADMIN_SECRET, PATHS, PORTS, type Colour } from "@property-search/contract";
import {
    isUsed,
    readSettings,
    SERVICE_SETTINGS,
    type ServiceSettings,
    type Setting,
    type Value,
} from "@property-search/contract/settings";
import type * as k8s from "@pulumi/kubernetes";
import { TENANTS_FOLDER, TENANTS_SECRET } from "./tenants.ts";
import {
    containerResources,
    containerSecurityContext,
    podSecurityContext,
    httpProbe,
    LIVENESS_TIMING,
    topologySpread,
    type Resources,
} from "../workload.ts";

type EnvVar = k8s.types.input.core.v1.EnvVar;

/** Keys of the Secret with the login to Redis. */
export const CREDENTIAL_KEYS = { username: "username", password: "password" } as const;
/** Key of the Secret with the API key of the upstream. */
export const API_KEY_KEY = "api-key";
/** Key of the same Secret with the API keys of the fallbacks. */
export const FALLBACK_API_KEYS_KEY = "fallback-api-keys";

const REDIS_LOGIN_FOLDER = "/etc/redis-login";
const REDIS_CA_FOLDER = "/etc/redis-ca";
const REDIS_CERT_FOLDER = "/etc/redis-cert";

/** Existing Secrets for TLS connections to Redis. */
export interface RedisTlsSecrets {
    /**
     * Secret with the authorities that sign the certificate of Redis, as `ca.crt`.
     * @default none: those of Node.js
     */
    readonly caSecretName?: string | undefined;
    /**
     * Secret of type kubernetes.io/tls with the client certificate.
     * @default none: Redis requires no client certificate
     */
    readonly certSecretName?: string | undefined;
}

const DEFAULTS = readSettings(
    SERVICE_SETTINGS,
    () => undefined,
    () => undefined,
);

/** Seconds for closing connections after the last response. */
const MARGIN_SECONDS = 5;

/** Arguments of `servicePod`. */
export interface ServicePodArgs {
    /** Colour of the pod. */
    readonly colour: Colour;
    /** Version of the service, for logs, headers and metrics. */
    readonly version: string;
    /** Image of the service. */
    readonly image: string;
    /**
     * CPU and memory of each pod.
     * @default 1 to 2 CPUs, 2Gi to 4Gi of memory
     */
    readonly resources: Resources;
    /** Address of Redis, and its login. */
    readonly redis: {
        /** URL of Redis, or comma-separated URLs of the nodes or sentinels. */
        readonly url: string;
        /** Whether Redis speaks the protocol of Redis Cluster. */
        readonly clustered: boolean;
        /** Secret with CREDENTIAL_KEYS. */
        readonly secretName: string;
        /**
         * Whether the Secret may change at any time, so that pods mount it and read it at each connection.
         * @default false
         */
        readonly followed?: boolean;
        /**
         * Name that the sentinels have for the primary.
         * @default none: the URL is that of Redis itself
         */
        readonly sentinel?: { readonly master: string } | undefined;
        /**
         * Existing Secrets for TLS connections.
         * @default none
         */
        readonly tls?: RedisTlsSecrets | undefined;
    };
    /**
     * Settings of the service that differ from their defaults; contract/src/settings/service.ts describes each.
     * @default {}
     */
    readonly settings: Partial<ServiceSettings>;
    /**
     * URL of a forward proxy to the upstreams.
     * @default none
     */
    readonly upstreamProxy?: string | undefined;
    /**
     * Secret with API_KEY_KEY, and FALLBACK_API_KEYS_KEY where the fallbacks need keys.
     * @default none
     */
    readonly upstreamSecret?:
        { readonly name: string; readonly hasFallbackKeys: boolean } | undefined;
    /**
     * Seconds that a terminating pod keeps serving, while gateways and proxies remove it from their endpoints.
     * @default 10
     */
    readonly preStopSeconds: number;
    /**
     * Whether the pod has an automation port, with a token of ADMIN_SECRET.
     * @default false
     */
    readonly automated?: boolean;
}

/** Ports of the container and of its Service, without the admin port, which listens on the pod's loopback interface. */
export function servicePorts(automated: boolean) {
    return [
        { name: "http", containerPort: PORTS.service, protocol: "TCP" },
        ...(automated
            ? [{ name: "automation", containerPort: PORTS.automation, protocol: "TCP" }]
            : []),
    ];
}

/**
 * Pod of one colour. It terminates without losing a request: it keeps serving for preStopSeconds, then completes open
 * requests until the drain timeout, and is killed only after both and a margin.
 */
export function servicePod(
    args: ServicePodArgs,
    serviceAccountName: string,
    matchLabels: Record<string, string>,
): k8s.types.input.core.v1.PodSpec {
    const { preStopSeconds } = args;
    const { drainTimeoutSeconds } = { ...DEFAULTS, ...args.settings };
    const mounts = redisMounts(args.redis);
    return {
        serviceAccountName,
        automountServiceAccountToken: false,
        enableServiceLinks: false,
        terminationGracePeriodSeconds: preStopSeconds + drainTimeoutSeconds + MARGIN_SECONDS,
        securityContext: podSecurityContext(),
        topologySpreadConstraints: topologySpread(matchLabels, "pod-template-hash"),
        containers: [
            {
                name: "service",
                image: args.image,
                imagePullPolicy: "IfNotPresent",
                ports: servicePorts(args.automated === true),
                env: environment(args),
                ...probes(),
                lifecycle: { preStop: { sleep: { seconds: preStopSeconds } } },
                resources: containerResources(args.resources),
                securityContext: containerSecurityContext(),
                volumeMounts: [
                    { name: "tmp", mountPath: "/tmp" },
                    // A directory, not a single file (subPath), so that changes of the Secret reach the pod.
                    { name: "tenants", mountPath: TENANTS_FOLDER, readOnly: true },
                    ...mounts.map(({ name, mountPath }) => ({ name, mountPath, readOnly: true })),
                ],
            },
        ],
        volumes: [
            // A running warm-up keeps its texts here, compressed.
            { name: "tmp", emptyDir: { sizeLimit: "256Mi" } },
            { name: "tenants", secret: { secretName: TENANTS_SECRET.name } },
            ...mounts.map(({ name, secretName }) => ({ name, secret: { secretName } })),
        ],
    };
}

/**
 * Probes, each with its own path. Starting may take two minutes, for the model and a cold disk. A pod leaves rotation
 * after ten seconds, but restarts only after a minute without a response: a restart loses the warm cache and worsens
 * an overload.
 */
function probes(): Pick<
    k8s.types.input.core.v1.Container,
    "startupProbe" | "readinessProbe" | "livenessProbe"
> {
    return {
        startupProbe: httpProbe(PATHS.startup, {
            periodSeconds: 2,
            timeoutSeconds: 2,
            failureThreshold: 60,
        }),
        readinessProbe: httpProbe(PATHS.ready, {
            periodSeconds: 5,
            timeoutSeconds: 3,
            failureThreshold: 2,
        }),
        livenessProbe: httpProbe(PATHS.live, LIVENESS_TIMING),
    };
}

type Variables = Partial<Record<keyof ServiceSettings, Value | EnvVar["valueFrom"]>>;

/** The settings in the order of their rows: the pod's own, and those of the stack's config that have an effect. */
function environment(args: ServicePodArgs): EnvVar[] {
    const { upstreamProxy, upstreamSecret } = args;
    const settings: Readonly<Record<string, Value>> = { ...DEFAULTS, ...args.settings };
    const own: Variables = {
        port: PORTS.service,
        colour: args.colour,
        version: args.version,
        ...redisAccess(args.redis),
        ...(upstreamProxy && { httpProxy: upstreamProxy, httpsProxy: upstreamProxy }),
        ...(upstreamSecret && { upstreamApiKey: fromSecret(upstreamSecret.name, API_KEY_KEY) }),
        ...(upstreamSecret?.hasFallbackKeys && {
            upstreamFallbackApiKeys: fromSecret(upstreamSecret.name, FALLBACK_API_KEYS_KEY),
        }),
        localCacheEntriesLimit: settings.localCacheEntriesLimit,
        tenantsFile: `${TENANTS_FOLDER}/${TENANTS_SECRET.file}`,
        adminToken: fromSecret(ADMIN_SECRET.name, ADMIN_SECRET.key),
        ...(args.automated === true && {
            automationToken: fromSecret(ADMIN_SECRET.name, ADMIN_SECRET.automationKey),
        }),
    };
    return Object.entries<Setting>(SERVICE_SETTINGS).flatMap(([name, row]) => {
        const isGiven = row.key !== undefined && !row.secret;
        const value = own[name as keyof Variables] ?? (isGiven ? settings[name] : undefined);
        return value === undefined || !isUsed(row, settings) ? [] : [variable(row.env, value)];
    });
}

function redisAccess(redis: ServicePodArgs["redis"]): Variables {
    const { clustered, sentinel, secretName, followed, tls } = redis;
    return {
        redisUrl: redis.url,
        redisMode: sentinel ? "sentinel" : clustered ? "cluster" : "standalone",
        ...(followed
            ? { redisCredentialsDirectory: REDIS_LOGIN_FOLDER }
            : {
                  redisUsername: fromSecret(secretName, CREDENTIAL_KEYS.username),
                  redisPassword: fromSecret(secretName, CREDENTIAL_KEYS.password),
              }),
        ...(sentinel && { redisSentinelMaster: sentinel.master }),
        ...(tls?.caSecretName !== undefined && { redisCaFile: `${REDIS_CA_FOLDER}/ca.crt` }),
        ...(tls?.certSecretName !== undefined && {
            redisCertFile: `${REDIS_CERT_FOLDER}/tls.crt`,
            redisKeyFile: `${REDIS_CERT_FOLDER}/tls.key`,
        }),
    };
}

/** Directories, so that renewed credentials reach the pod; the service reads them at each connection. */
function redisMounts({ secretName: login, followed, tls = {} }: ServicePodArgs["redis"]) {
    const { caSecretName, certSecretName } = tls;
    return [
        {
            name: "redis-login",
            mountPath: REDIS_LOGIN_FOLDER,
            secretName: followed ? login : undefined,
        },
        { name: "redis-ca", mountPath: REDIS_CA_FOLDER, secretName: caSecretName },
        { name: "redis-cert", mountPath: REDIS_CERT_FOLDER, secretName: certSecretName },
    ].flatMap(({ secretName, ...mount }) =>
        secretName === undefined ? [] : [{ ...mount, secretName }],
    );
}

function variable(name: string, value: Value | NonNullable<EnvVar["valueFrom"]>): EnvVar {
    if (typeof value === "object") return { name, valueFrom: value };
    // The kubelet replaces `$(X)` with another variable and `$$` with a dollar sign.
    return { name, value: String(value).replaceAll("$", "$$$$") };
}

function fromSecret(name: string, key: string) {
    return { secretKeyRef: { name, key } };
}
