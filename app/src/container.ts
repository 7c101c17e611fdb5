import { datedPrices } from "@property-search/contract/settings";
import type { Registry } from "prom-client";
import { createLocalCache } from "./cache/localCache.ts";
import { createRedisCache } from "./cache/redisCache.ts";
import { createRedisClient, type RedisCommands } from "./redis/client.ts";
import { noSharedCache, type LocalCache, type SharedCache } from "./cache/tiers.ts";
import type { Config } from "./config.ts";
import { createHotKeys as openHotKeys, type HotKeys } from "./hotKeys/hotKeys.ts";
import { noHotKeyList, createRedisHotKeyList } from "./hotKeys/hotKeyList.ts";
import { createRankingCommands } from "./hotKeys/rankingCommands.ts";
import { createInMemoryEpochs, createSharedEpochs, type Epochs } from "./key/epochs.ts";
import type { Log } from "./log.ts";
import { createLedger, type Ledger } from "./ledger/ledger.ts";
import { createFlatPrice, createTokenPrices } from "./ledger/prices.ts";
import { createRedisMetrics } from "./metrics/redis.ts";
import { createRegistry } from "./metrics/registry.ts";
import { createServiceMetrics, type ServiceMetrics } from "./metrics/service.ts";
import { createQuarantineMetrics } from "./metrics/quarantines.ts";
import { createUpstreamMetrics } from "./metrics/upstream.ts";
import { createAuth, type Auth } from "./tenants/auth.ts";
import { createRedisUsageStore } from "./tenants/usageStore.ts";
import { LOCAL_PROVIDER, createLocalUpstream } from "./upstream/local/local.ts";
import { supportsShortening } from "./upstream/openai/models.ts";
import { createOpenaiUpstream, type OpenaiTiming } from "./upstream/openai/openai.ts";
import { createRedisReferenceStore } from "./upstream/openai/referenceStore.ts";
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
export interface Dependencies {
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
    readonly auth: Auth;
    readonly hotKeys: HotKeys;
    readonly registry: Registry;
    readonly metrics: ServiceMetrics;
    readonly ledger: Ledger;
    readonly tracing: Tracing;
}

/** Bound of the local cache in bytes, in addition to its number of entries. */
const MAX_LOCAL_BYTES = 512 * 1024 * 1024;

/** @param timing of the upstream, for tests */
export async function createDependencies(
    config: Config,
    log: Log,
    timing: OpenaiTiming = {},
): Promise<Dependencies> {
    const registry = createRegistry();
    const redis = config.redis && createRedisClient(config.redis, log);
    const memory = createLocalCache({
        maxEntries: config.localCacheMaxEntries,
        maxBytes: MAX_LOCAL_BYTES,
        staleSeconds: config.staleIfErrorSeconds,
        supportsShortening: config.provider.name === "openai" && supportsShortening(config.model),
    });
    const upstream = await createUpstream(config, {
        log,
        registry,
        timing,
        redis,
        onWrongModel: memory.removeWhere,
    });
    const tiers = createTiers(config, { log, registry, upstream, redis, memory });
    const { local, shared } = tiers;
    const { colour, version, model } = config;
    const { provider, revision } = upstream;
    const metrics = createServiceMetrics({
        registry,
        build: { colour, version, provider, model, revision },
        localSize: local.size,
        isRedisUp: () => shared.state() === "up",
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
        ledger: createLedger({
            registry,
            model,
            price:
                dated.length > 0
                    ? createTokenPrices(dated)
                    : createFlatPrice(Number(config.costPerRequestDollars)),
            dollarsPerHour: {
                pod: Number(config.podCostPerHourDollars),
                storage: Number(config.storageCostPerHourDollars),
            },
        }),
        tracing: await createTracing(config),
        auth: createAuth(
            config.tenants,
            redis && createRedisUsageStore(redis.client),
            log,
            metrics.onRejected,
        ),
        hotKeys: openHotKeys({
            local,
            shared,
            list: redis
                ? createRedisHotKeyList(
                      createRankingCommands(redis.client),
                      { ...upstream, model },
                      log,
                  )
                : noHotKeyList,
            maxLocalEntries: config.localCacheMaxEntries,
            log,
        }),
    };
}

interface TierDependencies {
    readonly log: Log;
    readonly registry: Registry;
    readonly upstream: Upstream;
    readonly redis: RedisCommands | undefined;
    readonly memory: LocalCache;
}

/** Creates the caches and, with Redis, the records that decide what they serve. */
function createTiers(config: Config, { log, registry, upstream, redis, memory }: TierDependencies) {
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
        evict: memory.removeWhere,
        log,
    });
    const redisTier = redis
        ? withSharedQuarantines(
              quarantines,
              createRedisCache(redis, {
                  codec,
                  staleSeconds,
                  log,
                  events: createRedisMetrics(registry),
              }),
              createQuarantineMetrics(registry),
          )
        : noSharedCache;
    const epochs = redis ? createSharedEpochs(redis, log) : createInMemoryEpochs();
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

interface UpstreamDependencies extends Pick<TierDependencies, "log" | "registry" | "redis"> {
    readonly timing: OpenaiTiming;
    /** Removes embeddings of another model from the local cache. */
    readonly onWrongModel: (isWrong: (embedding: Embedding) => boolean) => void;
}

async function createUpstream(
    { provider, model }: Config,
    parts: UpstreamDependencies,
): Promise<Upstream> {
    const { log, registry, timing, redis, onWrongModel } = parts;
    if (provider.name === "local") {
        const events = createUpstreamMetrics(registry, [LOCAL_PROVIDER]);
        return createLocalUpstream({ ...provider, log, events });
    }
    const { url, fallbacks, revision } = provider;
    const endpoints = [url, ...fallbacks.map((fallback) => fallback.url)].map(({ host }) => host);
    const space = ["openai", model, revision ?? `${url.host}${url.pathname}`];
    return createOpenaiUpstream({
        ...provider,
        ...timing,
        model,
        reference: redis && createRedisReferenceStore(redis.client, space),
        onWrongModel,
        log,
        events: createUpstreamMetrics(registry, endpoints),
    });
}

/** The exporter is loaded only if a collector is configured. */
async function createTracing({ tracing, colour, version }: Config): Promise<Tracing> {
    if (!tracing) return noTracing;
    const { createOtlpTracing } = await import("./tracing/otlp.ts");
    return createOtlpTracing({ ...tracing, resource: { "service.version": version, colour } });
}
