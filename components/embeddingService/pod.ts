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
    topologySpread,
    type Resources,
} from "../workload.ts";

type EnvVar = k8s.types.input.core.v1.EnvVar;

/** Keys of the Secret with which the service logs in to Redis, ours or an existing one. */
export const CREDENTIAL_KEYS = { username: "username", password: "password" } as const;
export const API_KEY_KEY = "api-key";
/** Keys of the fallbacks in the order of their URLs, with commas between. */
export const FALLBACK_API_KEYS_KEY = "fallback-api-keys";

const REDIS_LOGIN_FOLDER = "/etc/redis-login";
const REDIS_CA_FOLDER = "/etc/redis-ca";
const REDIS_CERT_FOLDER = "/etc/redis-cert";

/** Names of Secrets; default for each: none is needed. */
export interface RedisTlsSecrets {
    /** Holds ca.crt. */
    readonly caSecretName?: string | undefined;
    /** Of type kubernetes.io/tls. */
    readonly certSecretName?: string | undefined;
}

const DEFAULTS = readSettings(
    SERVICE_SETTINGS,
    () => undefined,
    () => undefined,
);

/** Seconds between the last answer and the end of the process, for what closing takes. */
const MARGIN_SECONDS = 5;

export interface ServicePodArgs {
    readonly colour: Colour;
    readonly version: string;
    readonly image: string;
    readonly resources: Resources;
    readonly redis: {
        readonly url: string;
        readonly clustered: boolean;
        /** Secret with CREDENTIAL_KEYS. */
        readonly secretName: string;
        /** Whether somebody else changes that Secret, so that the pods have to follow it. Default: false. */
        readonly followed?: boolean;
        /** Of those whose addresses the URL lists; default: they are the servers themselves. */
        readonly sentinel?: { readonly master: string } | undefined;
        readonly tls?: RedisTlsSecrets | undefined;
    };
    /** Settings of the service that differ from their defaults. */
    readonly settings: Partial<ServiceSettings>;
    /** URL of a forward proxy to the upstreams. Default: none. */
    readonly upstreamProxy?: string | undefined;
    /** Secret with API_KEY_KEY, and FALLBACK_API_KEYS_KEY where the fallbacks need keys. Default: none is needed. */
    readonly upstreamSecret?:
        { readonly name: string; readonly hasFallbackKeys: boolean } | undefined;
    /** Seconds that a terminating pod keeps serving, while gateways and proxies forget it. */
    readonly preStopSeconds: number;
}

/**
 * Pod of one colour. Its end loses no request: it serves on for preStopSeconds, in which gateways and
 * proxies forget it, then answers what is open, and is killed only after both and a margin.
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
                // The admin port is not one of them: it listens on the pod's own loopback only.
                ports: [{ name: "http", containerPort: PORTS.service, protocol: "TCP" }],
                env: environment(args),
                ...probes(),
                lifecycle: { preStop: { sleep: { seconds: preStopSeconds } } },
                resources: containerResources(args.resources),
                securityContext: containerSecurityContext(),
                volumeMounts: [
                    { name: "tmp", mountPath: "/tmp" },
                    // A folder, not a file: only then does a changed Secret arrive in the pod.
                    { name: "tenants", mountPath: TENANTS_FOLDER, readOnly: true },
                    ...mounts.map(({ name, mountPath }) => ({ name, mountPath, readOnly: true })),
                ],
            },
        ],
        volumes: [
            // A warm-up keeps its texts here, compressed, for as long as it runs.
            { name: "tmp", emptyDir: { sizeLimit: "256Mi" } },
            { name: "tenants", secret: { secretName: TENANTS_SECRET.name } },
            ...mounts.map(({ name, secretName }) => ({ name, secret: { secretName } })),
        ],
    };
}

/**
 * Three questions, three paths. Starting may take two minutes, for the model and a cold disk. Unready
 * comes after ten seconds and costs only traffic. A restart comes after a whole minute without an
 * answer, since it costs the warm cache and makes an overload worse.
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
        livenessProbe: httpProbe(PATHS.live, {
            periodSeconds: 10,
            timeoutSeconds: 5,
            failureThreshold: 6,
        }),
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
        tenantsFile: `${TENANTS_FOLDER}/${TENANTS_SECRET.file}`,
        adminToken: fromSecret(ADMIN_SECRET.name, ADMIN_SECRET.key),
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

/** Folders, so that what is renewed arrives in the pod; the service reads them at each connection. */
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
    // The kubelet takes `$(X)` for another variable and `$$` for a dollar sign, so that each is doubled.
    return { name, value: String(value).replaceAll("$", "$$$$") };
}

function fromSecret(name: string, key: string) {
    return { secretKeyRef: { name, key } };
}
