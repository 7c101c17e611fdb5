import { Cluster, Redis } from "ioredis";

import type { RedisConfig, SentinelConfig } from "../config.ts";
import type { Log } from "../log.ts";
import { followLogin } from "./redisLogin.ts";
import { tlsOptions } from "./redisTls.ts";

/** Longest wait for one operation. A healthy Redis in the same zone answers in a few milliseconds. */
const OPERATION_TIMEOUT_MILLISECONDS = 100;
const CONNECT_TIMEOUT_MILLISECONDS = 2_000;
const MAX_RECONNECT_DELAY_MILLISECONDS = 1_000;
/**
 * A connection on which nothing came for so long, though something was asked, is given up. The packets
 * of a node that is gone are dropped without a word, and TCP alone goes on trying for a quarter of an hour.
 */
const SILENCE_MILLISECONDS = 2_000;
/** A peer that does not take its leave is left. */
const DISCONNECT_TIMEOUT_MILLISECONDS = 200;
/** Between two looks at which node has which slots; a node that hangs gives no other sign. */
const SLOTS_REFRESH_MILLISECONDS = 2_000;
/** A command follows this many MOVED and ASK, or lost connections with this pause between them. */
const MAX_REDIRECTIONS = 5;
const FAILOVER_PAUSE_MILLISECONDS = 20;
const READONLY_PAUSE_MILLISECONDS = 10_000;

export interface RedisConnection {
    readonly client: Redis | Cluster;
    readonly close: () => Promise<void>;
}

/** Connects in the background and for ever; commands fail at once while there is no connection. */
export function connectRedis(config: RedisConfig, log: Log): RedisConnection {
    const client = config.mode === "cluster" ? connectCluster(config) : connectOne(config);
    let last = "";
    client.on("error", (error: Error & { readonly lastNodeError?: Error }) => {
        // A cluster's own words are that no node can be reached, and not why.
        const { message } = error.lastNodeError ?? error;
        // Every attempt to reconnect reports the same error again.
        if (message !== last) log.warn({ error: message }, "Redis connection");
        last = message;
        // The connection would go on with database 0, which is another cache. Its first commands have not left yet.
        if (message.includes("DB index is out of range")) client.disconnect(true);
    });
    client.on("ready", () => {
        last = "";
        log.info({ mode: config.mode }, "Redis connected");
    });
    const revive = () => {
        const connect = () => void client.connect().catch(() => undefined);
        setTimeout(connect, reconnectDelay(1)).unref();
    };
    // A failover that is announced while a connection is being made ends the client of ioredis 6 for good.
    client.on("end", revive);
    return {
        client,
        close: async () => {
            client.off("end", revive);
            try {
                // Writes that were begun go out before the connection ends.
                await client.quit().catch(() => undefined);
            } finally {
                // Also ends the connections to sentinels, which QUIT leaves open.
                client.disconnect();
            }
        },
    };
}

function options({ urls: [url], ...config }: RedisConfig) {
    const login = {
        username: config.username ?? (decodeURIComponent(url.username) || undefined),
        password: config.password ?? (decodeURIComponent(url.password) || undefined),
    };
    if (config.credentials !== undefined) followLogin(login, config.credentials);
    return {
        ...login,
        ...(url.protocol === "rediss:" ? { tls: tlsOptions(config.tls ?? {}) } : {}),
        connectTimeout: CONNECT_TIMEOUT_MILLISECONDS,
        disconnectTimeout: DISCONNECT_TIMEOUT_MILLISECONDS,
        commandTimeout: OPERATION_TIMEOUT_MILLISECONDS,
        socketTimeout: SILENCE_MILLISECONDS,
        // A command that cannot be sent now is a miss now.
        enableOfflineQueue: false,
        maxRetriesPerRequest: 0,
        autoResendUnfulfilledCommands: false,
        keepAlive: 10_000,
    };
}

function address(url: URL, port: number): { host: string; port: number } {
    return { host: url.hostname.replace(/^\[|\]$/g, ""), port: Number(url.port) || port };
}

function connectOne(config: RedisConfig): Redis {
    const [url] = config.urls;
    const database = Number(url.pathname.slice(1));
    const client = new Redis({
        ...options(config),
        ...(config.sentinel ? sentinels(config, config.sentinel) : address(url, 6379)),
        ...(database > 0 ? { db: database } : {}),
        retryStrategy: reconnectDelay,
        reconnectOnError: leaveReplica(),
    });
    // The first connection was begun by the login that `options` has read.
    if (config.credentials !== undefined) followLogin(client.options, config.credentials);
    return client;
}

function sentinels({ urls, tls }: RedisConfig, { master, password }: SentinelConfig) {
    const encrypted = urls[0].protocol === "rediss:";
    return {
        sentinels: urls.map((url) => address(url, 26379)),
        name: master,
        ...(password !== undefined && { sentinelPassword: password }),
        sentinelCommandTimeout: CONNECT_TIMEOUT_MILLISECONDS,
        sentinelRetryStrategy: reconnectDelay,
        sentinelReconnectStrategy: reconnectDelay,
        ...(encrypted && { enableTLSForSentinelMode: true, sentinelTLS: tlsOptions(tls ?? {}) }),
        // A primary that hangs keeps its connection: only the sentinels tell that it has a successor.
        failoverDetector: true,
    };
}

function connectCluster(config: RedisConfig): Cluster {
    // Copied for each node, which is when the login is read.
    const nodeOptions = options(config);
    if (config.credentials !== undefined) followLogin(nodeOptions, config.credentials);
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
            // Names of nodes resolve inside the cluster only; TLS needs the name, not its address.
            dnsLookup: (host, callback) => callback(null, host),
        },
    );
    // The first command to a node would connect it, and all others until then would fail. Not at once: the client
    // checks a cluster that it has found by a command to a new node, and gives up where that is connecting already.
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
 * A primary that became a replica keeps its clients, and their writes would fail for ever; its name
 * or the sentinels lead to the new one. Not after every write, since a Redis may be read-only for good.
 */
function leaveReplica(): (error: Error) => boolean {
    let left = -Infinity;
    return ({ message }) => {
        const now = performance.now();
        if (!message.startsWith("READONLY") || now - left < READONLY_PAUSE_MILLISECONDS) {
            return false;
        }
        left = now;
        return true;
    };
}
