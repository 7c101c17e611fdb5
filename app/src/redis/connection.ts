import { Cluster, Redis } from "ioredis";

import type { RedisConfig, SentinelConfig } from "./config.ts";
import type { Log } from "../log.ts";
import { followCredentials } from "./credentials.ts";
import { readRepliesBeforeTimeouts } from "./timeouts.ts";
import { tlsOptions } from "./tls.ts";

/** Timeout of one operation. A healthy Redis in the same zone responds within a few milliseconds. */
const OPERATION_TIMEOUT_MILLISECONDS = 100;
const CONNECT_TIMEOUT_MILLISECONDS = 2_000;
const MAX_RECONNECT_DELAY_MILLISECONDS = 1_000;
/**
 * Closes a connection on which a pending command receives no data for this long. Packets to a lost node are
 * dropped silently, and TCP alone would retry for 15 minutes.
 */
const SILENCE_MILLISECONDS = 2_000;
/** Timeout of a graceful disconnect. */
const DISCONNECT_TIMEOUT_MILLISECONDS = 200;
/** Interval of refreshing the slot map; a hanging node is not detected otherwise. */
const SLOTS_REFRESH_MILLISECONDS = 2_000;
/** Maximum number of MOVED and ASK redirections, or of retries after a lost connection with this pause. */
const MAX_REDIRECTIONS = 5;
const FAILOVER_PAUSE_MILLISECONDS = 20;
const READONLY_PAUSE_MILLISECONDS = 10_000;

export interface RedisConnection {
    readonly client: Redis | Cluster;
    readonly close: () => Promise<void>;
}

/** Connects in the background and reconnects forever. Without a connection, commands fail immediately. */
export function connectRedis(config: RedisConfig, log: Log): RedisConnection {
    readRepliesBeforeTimeouts();
    const client = config.mode === "cluster" ? connectCluster(config) : connectSingle(config);
    let last = "";
    client.on("error", (error: Error & { readonly lastNodeError?: Error }) => {
        // The cluster's own error only says that no node is reachable, without the reason.
        const { message } = error.lastNodeError ?? error;
        // Every reconnection attempt repeats the same error.
        if (message !== last) log.warn({ error: message }, "Redis connection failed");
        last = message;
        // Otherwise the connection would continue with database 0, which is another cache. No command has
        // been sent yet.
        if (message.includes("DB index is out of range")) client.disconnect(true);
    });
    client.on("ready", () => {
        last = "";
        log.info({ mode: config.mode }, "Redis connected");
    });
    const reconnect = () => {
        const connect = () => void client.connect().catch(() => undefined);
        setTimeout(connect, reconnectDelay(1)).unref();
    };
    // ioredis 6 ends the client for good if a failover is announced during a connection attempt.
    client.on("end", reconnect);
    return {
        client,
        close: async () => {
            client.off("end", reconnect);
            try {
                // Flushes pending writes before it disconnects.
                await client.quit().catch(() => undefined);
            } finally {
                // Also closes connections to sentinels, which QUIT leaves open.
                client.disconnect();
            }
        },
    };
}

function connectionOptions({ urls: [url], ...config }: RedisConfig) {
    const credentials = {
        username: config.username ?? (decodeURIComponent(url.username) || undefined),
        password: config.password ?? (decodeURIComponent(url.password) || undefined),
    };
    if (config.credentials !== undefined) followCredentials(credentials, config.credentials);
    return {
        ...credentials,
        ...(url.protocol === "rediss:" ? { tls: tlsOptions(config.tls ?? {}) } : {}),
        connectTimeout: CONNECT_TIMEOUT_MILLISECONDS,
        disconnectTimeout: DISCONNECT_TIMEOUT_MILLISECONDS,
        commandTimeout: OPERATION_TIMEOUT_MILLISECONDS,
        socketTimeout: SILENCE_MILLISECONDS,
        // A command that cannot be sent now is a miss.
        enableOfflineQueue: false,
        maxRetriesPerRequest: 0,
        autoResendUnfulfilledCommands: false,
        keepAlive: 10_000,
    };
}

function address(url: URL, port: number): { host: string; port: number } {
    return { host: url.hostname.replace(/^\[|\]$/g, ""), port: Number(url.port) || port };
}

function connectSingle(config: RedisConfig): Redis {
    const [url] = config.urls;
    const database = Number(url.pathname.slice(1));
    const client = new Redis({
        ...connectionOptions(config),
        ...(config.sentinel ? sentinels(config, config.sentinel) : address(url, 6379)),
        ...(database > 0 ? { db: database } : {}),
        retryStrategy: reconnectDelay,
        reconnectOnError: reconnectFromReplica(),
    });
    // The first connection uses the login that `connectionOptions` has read.
    if (config.credentials !== undefined) followCredentials(client.options, config.credentials);
    return client;
}

function sentinels({ urls, tls }: RedisConfig, { master, password }: SentinelConfig) {
    const usesTls = urls[0].protocol === "rediss:";
    return {
        sentinels: urls.map((url) => address(url, 26379)),
        name: master,
        ...(password !== undefined && { sentinelPassword: password }),
        sentinelCommandTimeout: CONNECT_TIMEOUT_MILLISECONDS,
        sentinelRetryStrategy: reconnectDelay,
        sentinelReconnectStrategy: reconnectDelay,
        ...(usesTls && { enableTLSForSentinelMode: true, sentinelTLS: tlsOptions(tls ?? {}) }),
        // A hanging primary keeps its connection; only the sentinels know about its replacement.
        failoverDetector: true,
    };
}

function connectCluster(config: RedisConfig): Cluster {
    // ioredis copies the options per node, which reads the login.
    const nodeOptions = connectionOptions(config);
    if (config.credentials !== undefined) followCredentials(nodeOptions, config.credentials);
    const client = new Cluster(
        config.urls.map((url) => address(url, 6379)),
        {
            redisOptions: nodeOptions,
            enableOfflineQueue: false,
            clusterRetryStrategy: reconnectDelay,
            slotsRefreshTimeout: CONNECT_TIMEOUT_MILLISECONDS,
            slotsRefreshInterval: SLOTS_REFRESH_MILLISECONDS,
            maxRedirections: MAX_REDIRECTIONS,
            retryDelayOnFailover: FAILOVER_PAUSE_MILLISECONDS,
            retryDelayOnClusterDown: FAILOVER_PAUSE_MILLISECONDS,
            // Node names resolve inside the cluster only; TLS needs the name instead of the address.
            dnsLookup: (host, callback) => callback(null, host),
        },
    );
    // Connects to new nodes eagerly, because commands fail while a node is connecting. Deferred, because the
    // client checks a discovered cluster by a command to a new node, and that check fails while the node is
    // connecting.
    client.on("+node", (node: Redis) => {
        if (node.options.readOnly) return;
        process.nextTick(() => node.connect().catch(() => undefined));
    });
    return client;
}

function reconnectDelay(attempt: number): number {
    return Math.min(50 * 2 ** Math.min(attempt, 10), MAX_RECONNECT_DELAY_MILLISECONDS);
}

/**
 * Reconnects when a primary has become a replica: it keeps its clients, but rejects their writes. The name or
 * the sentinels lead to the new primary. Rate-limited, because a Redis may be read-only permanently.
 */
function reconnectFromReplica(): (error: Error) => boolean {
    let lastReconnectAt = -Infinity;
    return ({ message }) => {
        const now = performance.now();
        if (
            !message.startsWith("READONLY") ||
            now - lastReconnectAt < READONLY_PAUSE_MILLISECONDS
        ) {
            return false;
        }
        lastReconnectAt = now;
        return true;
    };
}
