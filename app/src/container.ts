import { datedPrices } from "@property-search/contract/settings";
import type { Registry } from "prom-client";
import { localCache } from "./cache/localCache.ts";
import { redisCache } from "./cache/redisCache.ts";
import { redisClient, type RedisCommands } from "./redis/client.ts";
import { noSharedCache, type LocalCache, type SharedCache } from "./cache/tiers.ts";
import type { Config } from "./config.ts";
import { hotKeys as openHotKeys, type HotKeys } from "./hotKeys/hotKeys.ts";
import { noHotKeyList, redisHotKeyList } from "./hotKeys/hotKeyList.ts";
import { rankingCommands } from "./hotKeys/rankingCommands.ts";
import { ownEpochs, sharedEpochs, type Epochs } from "./key/epochs.ts";
import type { Log } from "./log.ts";
import { openLedger, type Ledger } from "./ledger/ledger.ts";
import { flatPrice, tokenPrices } from "./ledger/prices.ts";
import { redisMetrics } from "./metrics/redis.ts";
import { openRegistry } from "./metrics/registry.ts";
import { serviceMetrics, type ServiceMetrics } from "./metrics/service.ts";
import { createQuarantineMetrics } from "./metrics/quarantines.ts";
import { upstreamMetrics } from "./metrics/upstream.ts";
import { openEntrance, type Entrance } from "./tenants/auth.ts";
import { redisUsage } from "./tenants/usageStore.ts";
import { LOCAL, localUpstream } from "./upstream/local/local.ts";
import { shortens } from "./upstream/openai/models.ts";
import { openaiUpstream, type OpenaiTiming } from "./upstream/openai/openai.ts";
import { redisReference } from "./upstream/openai/referenceStore.ts";
import { noTracing, type Tracing } from "./tracing/tracing.ts";
import { noQuarantineStore, createRedisQuarantineStore } from "./quarantines/store.ts";
import { withLocalQuarantines, withSharedQuarantines } from "./quarantines/tiers.ts";
import { createQuarantines, type Quarantines } from "./quarantines/quarantines.ts";
import type { Upstream } from "./upstream/upstream.ts";
import type { Embedding } from "./vector/embedding.ts";
import { createEntryCodec, buildIdOf, type EntryCodec } from "./vector/entry.ts";
import {
    createInMemoryInvalidationStore,
    createRedisInvalidationStore,
} from "./invalidations/store.ts";
import {
    withLocalInvalidations,
    withMissesUntilKnown,
    withSharedInvalidations,
} from "./invalidations/tiers.ts";
import { createInvalidations, type Invalidations } from "./invalidations/invalidations.ts";

/** All dependencies of the service, created but not started. */
export interface Parts {
    readonly config: Config;
    readonly log: Log;
    readonly upstream: Upstream;
    readonly shared: SharedCache;
    readonly local: LocalCache;
    readonly codec: EntryCodec;
    readonly redis: RedisCommands | undefined;
    readonly epochs: Epochs;
    readonly invalidations: Invalidations;
    readonly quarantines: Quarantines;
    readonly entrance: Entrance;
    readonly hotKeys: HotKeys;
    readonly registry: Registry;
    readonly metrics: ServiceMetrics;
    readonly ledger: Ledger;
    readonly tracing: Tracing;
}

/** Bound of the local cache in bytes, in addition to its number of entries. */
const MAX_LOCAL_BYTES = 512 * 1024 * 1024;

/** @param timing of the upstream, for tests */
export async function openParts(
    config: Config,
    log: Log,
    timing: OpenaiTiming = {},
): Promise<Parts> {
    const registry = openRegistry();
    const redis = config.redis && redisClient(config.redis, log);
    const memory = localCache({
        maxEntries: config.localCacheMaxEntries,
        maxBytes: MAX_LOCAL_BYTES,
        staleSeconds: config.staleIfErrorSeconds,
        shortens: config.provider.name === "openai" && shortens(config.model),
    });
    const upstream = await openUpstream(config, {
        log,
        registry,
        timing,
        redis,
        onWrongModel: memory.removeAll,
    });
    const tiers = openTiers(config, { log, registry, upstream, redis, memory });
    const { local, shared } = tiers;
    const { colour, version, model } = config;
    const { provider, revision } = upstream;
    const metrics = serviceMetrics({
        registry,
        build: { colour, version, provider, model, revision },
        localSize: local.size,
        redisUp: () => shared.state() === "up",
    });
    const dated = datedPrices(config.tokenPrices);
    return {
        config,
        log,
        upstream,
        redis,
        ...tiers,
        registry,
        metrics,
        ledger: openLedger({
            registry,
            model,
            price:
                dated.length > 0
                    ? tokenPrices(dated)
                    : flatPrice(Number(config.costPerRequestDollars)),
            dollarsPerHour: {
                pod: Number(config.podCostPerHourDollars),
                storage: Number(config.storageCostPerHourDollars),
            },
        }),
        tracing: await openTracing(config),
        entrance: openEntrance(
            config.tenants,
            redis && redisUsage(redis.client),
            log,
            metrics.refused,
        ),
        hotKeys: openHotKeys({
            local,
            shared,
            list: redis
                ? redisHotKeyList(rankingCommands(redis.client), { ...upstream, model }, log)
                : noHotKeyList,
            maxLocalEntries: config.localCacheMaxEntries,
            log,
        }),
    };
}

interface TierParts {
    readonly log: Log;
    readonly registry: Registry;
    readonly upstream: Upstream;
    readonly redis: RedisCommands | undefined;
    readonly memory: LocalCache;
}

/** Creates the caches and, with Redis, the records that decide what they serve. */
function openTiers(config: Config, { log, registry, upstream, redis, memory }: TierParts) {
    const staleSeconds = config.staleIfErrorSeconds;
    const buildId = buildIdOf([config.version, config.model, upstream.provider, upstream.revision]);
    const codec = createEntryCodec({ precision: config.cachePrecision, buildId });
    const invalidations = createInvalidations(
        redis ? createRedisInvalidationStore(redis.client) : createInMemoryInvalidationStore(),
        (key, invalidBefore) => {
            if ((memory.get(key)?.createdAt ?? Infinity) <= invalidBefore) memory.remove(key);
        },
        log,
    );
    const quarantines = createQuarantines({
        store: redis ? createRedisQuarantineStore(redis.client) : noQuarantineStore,
        buildId,
        entryLifetimeMilliseconds: (config.cacheTtlSeconds + staleSeconds) * 1000,
        evict: memory.removeAll,
        log,
    });
    const redisTier = redis
        ? withSharedQuarantines(
              quarantines,
              redisCache(redis, { codec, staleSeconds, log, events: redisMetrics(registry) }),
              createQuarantineMetrics(registry),
          )
        : noSharedCache;
    const epochs = redis ? sharedEpochs(redis, log) : ownEpochs();
    const isKnown = (): boolean => epochs.isKnown() && invalidations.isKnown();
    return {
        codec,
        invalidations,
        quarantines,
        epochs,
        local: withLocalQuarantines(quarantines, withLocalInvalidations(invalidations, memory)),
        shared: withMissesUntilKnown(isKnown, withSharedInvalidations(invalidations, redisTier)),
    };
}

interface UpstreamParts extends Pick<TierParts, "log" | "registry" | "redis"> {
    readonly timing: OpenaiTiming;
    /** Removes embeddings of another model from the local cache. */
    readonly onWrongModel: (isWrong: (embedding: Embedding) => boolean) => void;
}

async function openUpstream({ provider, model }: Config, parts: UpstreamParts): Promise<Upstream> {
    const { log, registry, timing, redis, onWrongModel } = parts;
    if (provider.name === "local") {
        const events = upstreamMetrics(registry, [LOCAL]);
        return localUpstream({ ...provider, log, events });
    }
    const { url, fallbacks, revision } = provider;
    const endpoints = [url, ...fallbacks.map((fallback) => fallback.url)].map(({ host }) => host);
    const space = ["openai", model, revision ?? `${url.host}${url.pathname}`];
    return openaiUpstream({
        ...provider,
        ...timing,
        model,
        reference: redis && redisReference(redis.client, space),
        onWrongModel,
        log,
        events: upstreamMetrics(registry, endpoints),
    });
}

/** The exporter is loaded only if a collector is configured. */
async function openTracing({ tracing, colour, version }: Config): Promise<Tracing> {
    if (!tracing) return noTracing;
    const { otlpTracing } = await import("./tracing/otlp.ts");
    return otlpTracing({ ...tracing, resource: { "service.version": version, colour } });
}
