import { ADMIN_SECRET, ENVIRONMENT, PATHS, PORTS, type Colour } from "@property-search/contract";
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
    readonly upstream:
        | { readonly provider: "local"; readonly model: string; readonly modelThreads: number }
        | {
              readonly provider: "openai";
              readonly model: string;
              readonly url: string;
              /** With commas between; empty for none. */
              readonly fallbackUrls: string;
              /** Most inputs of one call. */
              readonly batchSize: number;
              /** URL of a forward proxy to all of these hosts; empty for none. */
              readonly proxy: string;
              /** Of the weights; empty for the URL's host and path. */
              readonly revision: string;
              /** Secret with API_KEY_KEY. */
              readonly secretName: string;
              /** Whether the Secret has FALLBACK_API_KEYS_KEY too. */
              readonly hasFallbackKeys: boolean;
          };
    /** Seconds that a vector answers for its text. */
    readonly cacheTtl: number;
    /** Seconds that it is kept beyond that, to answer while the upstream fails. */
    readonly cacheStale: number;
    /** How Redis holds its numbers. */
    readonly cachePrecision: string;
    /** What texts are stripped of, with commas between; empty for nothing. */
    readonly textFolding: string;
    /** Whose pages may read the answers, with commas between; empty for none. */
    readonly corsOrigins: string;
    /** Vectors in the pod's own memory. */
    readonly maxLocalCacheSize: number;
    readonly money: MoneySettings;
    /** Undefined: nothing is traced. */
    readonly tracing: TracingSettings | undefined;
    /** Who sends no key is served too. */
    readonly anonymous: boolean;
    readonly logLevel: string;
    readonly drain: { readonly preStopSeconds: number; readonly longestRequestSeconds: number };
}

/** Dollars, in decimal notation; meanings stand in Pulumi.yaml. */
export interface MoneySettings {
    readonly costPerRequest: string;
    /** Dated prices per million tokens; empty for the flat price. */
    readonly tokenPrices: string;
    readonly podCostPerHour: string;
    readonly storageCostPerHour: string;
}

export interface TracingSettings {
    /** Base URL of a collector's OTLP/HTTP. */
    readonly url: string;
    /** Of requests whose client has not decided, 0 to 1. */
    readonly share: string;
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
    const { preStopSeconds, longestRequestSeconds } = args.drain;
    const mounts = redisMounts(args.redis);
    return {
        serviceAccountName,
        automountServiceAccountToken: false,
        enableServiceLinks: false,
        terminationGracePeriodSeconds: preStopSeconds + longestRequestSeconds + MARGIN_SECONDS,
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

function environment(args: ServicePodArgs): EnvVar[] {
    const { redis, upstream, money, tracing } = args;
    return [
        plain(ENVIRONMENT.port, PORTS.service),
        plain(ENVIRONMENT.colour, args.colour),
        plain(ENVIRONMENT.version, args.version),
        plain(ENVIRONMENT.redisUrl, redis.url),
        ...redisAccess(redis),
        plain(ENVIRONMENT.cacheTtl, args.cacheTtl),
        plain(ENVIRONMENT.cacheStale, args.cacheStale),
        plain(ENVIRONMENT.cachePrecision, args.cachePrecision),
        plain(ENVIRONMENT.textFolding, args.textFolding),
        plain(ENVIRONMENT.corsOrigins, args.corsOrigins),
        plain(ENVIRONMENT.maxLocalCacheSize, args.maxLocalCacheSize),
        plain(ENVIRONMENT.costPerRequest, money.costPerRequest),
        plain(ENVIRONMENT.tokenPrices, money.tokenPrices),
        plain(ENVIRONMENT.podCostPerHour, money.podCostPerHour),
        plain(ENVIRONMENT.storageCostPerHour, money.storageCostPerHour),
        ...(tracing
            ? [
                  plain(ENVIRONMENT.otlpEndpoint, tracing.url),
                  plain(ENVIRONMENT.traceShare, tracing.share),
              ]
            : []),
        plain(ENVIRONMENT.provider, upstream.provider),
        plain(ENVIRONMENT.model, upstream.model),
        ...(upstream.provider === "local"
            ? [plain(ENVIRONMENT.modelThreads, upstream.modelThreads)]
            : [
                  plain(ENVIRONMENT.upstreamUrl, upstream.url),
                  plain(ENVIRONMENT.upstreamFallbackUrls, upstream.fallbackUrls),
                  plain(ENVIRONMENT.upstreamBatchSize, upstream.batchSize),
                  ...(upstream.proxy === ""
                      ? []
                      : [
                            plain(ENVIRONMENT.httpProxy, upstream.proxy),
                            plain(ENVIRONMENT.httpsProxy, upstream.proxy),
                        ]),
                  plain(ENVIRONMENT.revision, upstream.revision),
                  secret(ENVIRONMENT.upstreamApiKey, upstream.secretName, API_KEY_KEY),
                  ...(upstream.hasFallbackKeys
                      ? [
                            secret(
                                ENVIRONMENT.upstreamFallbackApiKeys,
                                upstream.secretName,
                                FALLBACK_API_KEYS_KEY,
                            ),
                        ]
                      : []),
              ]),
        plain(ENVIRONMENT.drainTimeout, args.drain.longestRequestSeconds),
        plain(ENVIRONMENT.tenantsFile, `${TENANTS_FOLDER}/${TENANTS_SECRET.file}`),
        plain(ENVIRONMENT.anonymous, String(args.anonymous)),
        plain(ENVIRONMENT.logLevel, args.logLevel),
        secret(ENVIRONMENT.adminToken, ADMIN_SECRET.name, ADMIN_SECRET.key),
    ];
}

function redisAccess(redis: ServicePodArgs["redis"]): EnvVar[] {
    const { clustered, sentinel, secretName, followed, tls } = redis;
    return [
        plain(ENVIRONMENT.redisMode, sentinel ? "sentinel" : clustered ? "cluster" : "standalone"),
        ...(followed
            ? [plain(ENVIRONMENT.redisCredentialsDirectory, REDIS_LOGIN_FOLDER)]
            : [
                  secret(ENVIRONMENT.redisUsername, secretName, CREDENTIAL_KEYS.username),
                  secret(ENVIRONMENT.redisPassword, secretName, CREDENTIAL_KEYS.password),
              ]),
        ...(sentinel ? [plain(ENVIRONMENT.redisSentinelMaster, sentinel.master)] : []),
        ...(tls?.caSecretName === undefined
            ? []
            : [plain(ENVIRONMENT.redisCaFile, `${REDIS_CA_FOLDER}/ca.crt`)]),
        ...(tls?.certSecretName === undefined
            ? []
            : [
                  plain(ENVIRONMENT.redisCertFile, `${REDIS_CERT_FOLDER}/tls.crt`),
                  plain(ENVIRONMENT.redisKeyFile, `${REDIS_CERT_FOLDER}/tls.key`),
              ]),
    ];
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

/** The kubelet takes `$(X)` for another variable and `$$` for a dollar sign, so that each is doubled. */
function plain(name: string, value: string | number): EnvVar {
    return { name, value: `${value}`.replaceAll("$", "$$$$") };
}

function secret(name: string, secretName: string, key: string, optional?: true): EnvVar {
    const secretKeyRef = { name: secretName, key, ...(optional && { optional }) };
    return { name, valueFrom: { secretKeyRef } };
}
