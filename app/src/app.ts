import { PATHS } from "@property-search/contract";

import { flights } from "./cache/flights.ts";
import { localCache } from "./cache/local.ts";
import { redisCache } from "./cache/redis.ts";
import { redisClient } from "./cache/redisClient.ts";
import { resolver } from "./cache/resolve.ts";
import { noSharedCache, type LocalCache, type SharedCache } from "./cache/tiers.ts";
import type { Config } from "./config.ts";
import { answers } from "./http/answer.ts";
import { embeddingsHandler } from "./http/embeddings.ts";
import { probes } from "./http/probes.ts";
import { replies } from "./http/reply.ts";
import { parseEmbed, parseOpenai } from "./http/request.ts";
import { router, type Handler } from "./http/router.ts";
import { keyMakers } from "./key/key.ts";
import type { Log } from "./log.ts";
import { openMetrics } from "./metrics/metrics.ts";
import { localUpstream } from "./upstream/local/local.ts";
import { openaiUpstream } from "./upstream/openai/openai.ts";
import type { Upstream } from "./upstream/upstream.ts";

export interface App {
    readonly listener: Handler;
    /** Resolves when embeddings can be answered; probes answer before. */
    readonly start: () => Promise<void>;
    /** From now on not ready, and every answer closes its connection. Requests are still answered. */
    readonly drain: () => void;
    readonly close: () => Promise<void>;
}

/** Bound of the in-process cache beside its number of entries. */
const MAX_LOCAL_BYTES = 512 * 1024 * 1024;

/** Puts the parts together. */
export async function buildApp(config: Config, log: Log): Promise<App> {
    const upstream = await openUpstream(config, log);
    const shared = openShared(config, log);
    const local = localCache({
        maxEntries: config.maxLocalEntries,
        maxBytes: MAX_LOCAL_BYTES,
        ttlSeconds: config.cacheTtlSeconds,
    });
    return assemble({ config, log, upstream, shared, local });
}

export interface AppParts {
    readonly config: Pick<Config, "colour" | "version" | "model" | "costPerRequest">;
    readonly log: Log;
    readonly upstream: Upstream;
    readonly shared: SharedCache;
    readonly local: LocalCache;
}

export function assemble({ config, log, upstream, shared, local }: AppParts): App {
    const { colour, version, model, costPerRequest } = config;
    const { provider, revision } = upstream;
    let started = false;
    let draining = false;
    const reply = replies({ colour, version, draining: () => draining });
    const metrics = openMetrics({
        build: { colour, version, provider, model, revision },
        costPerRequest,
        redisUp: () => shared.state() === "up",
    });
    const parts = {
        keysOf: keyMakers({ provider, model, revision, inputType: "none" }),
        resolver: resolver({
            local,
            shared,
            flights: flights(),
            upstream,
            billed: metrics.billed,
        }),
        metrics,
        replies: reply,
        log,
    };
    const limits = { model, ...upstream };
    const answer = answers(model);
    const health = {
        started: () => started,
        draining: () => draining,
        report: () => ({
            version,
            colour,
            model: { name: model, provider, revision, dimensions: upstream.dimensions() ?? null },
            redis: shared.state(),
            cache: { ...local.size(), hitPercent: finite(metrics.hitPercent()) },
            uptimeSeconds: Math.round(process.uptime()),
        }),
    };
    return {
        listener: router(
            {
                post: {
                    [PATHS.embed]: embeddingsHandler(parts, {
                        route: PATHS.embed,
                        parse: parseEmbed,
                        render: answer.embed,
                    }),
                    [PATHS.embeddings]: embeddingsHandler(parts, {
                        route: PATHS.embeddings,
                        parse: (body) => parseOpenai(body, limits),
                        render: answer.openai,
                    }),
                },
                get: probes(health, metrics, reply),
            },
            reply,
        ),
        start: async () => {
            await upstream.start();
            started = true;
        },
        drain: () => {
            draining = true;
        },
        close: async () => {
            await Promise.all([upstream.close(), shared.close()]);
        },
    };
}

async function openUpstream({ provider, model }: Config, log: Log): Promise<Upstream> {
    return provider.name === "local"
        ? await localUpstream({ ...provider, log })
        : openaiUpstream({ ...provider, model });
}

function openShared({ redis, cacheTtlSeconds }: Config, log: Log): SharedCache {
    if (!redis) return noSharedCache;
    return redisCache(redisClient(redis, log), { ttlSeconds: cacheTtlSeconds, log });
}

/** JSON has no NaN. */
function finite(value: number): number | null {
    return Number.isFinite(value) ? value : null;
}
