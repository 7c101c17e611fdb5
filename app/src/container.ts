import { datedPrices } from "@property-search/contract/settings";
import type { Registry } from "prom-client";
import { createEntryStore } from "./cache/entryStore.ts";
import { createEvictions, type Evictions } from "./cache/evictions.ts";
import { createLocalCache, type ResizableCache } from "./cache/localCache.ts";
import { createRedisCache } from "./cache/redisCache.ts";
import { createRedisClient, type RedisCommands } from "./redis/client.ts";
import { noSharedCache, type LocalCache, type SharedCache } from "./cache/tiers.ts";
import type { Config } from "./config.ts";
import { tokensOfPorts } from "./distinctTokens.ts";
import {
    createExperiments,
    longestTtlSeconds as longestTtlOf,
    type Experiments,
} from "./experiments/experiments.ts";
import { createGhosts, type Ghosts, type GhostsOptions } from "./ghosts/ghosts.ts";
import { createRedisGhostRegistry } from "./ghosts/registry.ts";
import { createHotKeys as openHotKeys, type HotKeys } from "./hotKeys/hotKeys.ts";
import { noHotKeyList, createRedisHotKeyList, type VectorSpace } from "./hotKeys/hotKeyList.ts";
import { createRankingCommands } from "./hotKeys/rankingCommands.ts";
import { createInMemoryEpochs, createSharedEpochs, type Epochs } from "./key/epochs.ts";
import { createKeyOf, INPUT_TYPE } from "./key/key.ts";
import type { Log } from "./log.ts";
import { createLedger, type Ledger } from "./ledger/ledger.ts";
import { createFlatPrice, createTokenPrices } from "./ledger/prices.ts";
import { createFeedbackMetrics, type FeedbackMetrics } from "./metrics/feedback.ts";
import { createGhostMetrics } from "./metrics/ghosts.ts";
import { createOtherRequestMetrics, type OtherRequestMetrics } from "./metrics/otherRequests.ts";
import { createRedisMetrics } from "./metrics/redis.ts";
import { exportSettings } from "./metrics/settings.ts";
import { createRegistry } from "./metrics/registry.ts";
import { createServiceMetrics, type ServiceMetrics } from "./metrics/service.ts";
import { createQuarantineMetrics } from "./metrics/quarantines.ts";
import { createUpstreamMetrics } from "./metrics/upstream.ts";
import { createSharedClock, noSharedClock, type SharedClock } from "./redis/sharedClock.ts";
import { createInMemoryVersionedStore, createRedisVersionedStore } from "./redis/versionedStore.ts";
import {
    createRuntimeSettings,
    STORED_SETTINGS,
    type RuntimeSettings,
} from "./runtimeSettings/runtimeSettings.ts";
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
import { ANONYMOUS } from "./requestContext.ts";
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
/** Durations that tests change. */
export interface Timing extends OpenaiTiming {
    /** Longest wait of a request for semantic reuse. */
    readonly lookupMilliseconds?: number;
}

export interface Dependencies {
    readonly config: Config;
    readonly timing: Timing;
    readonly log: Log;
    readonly upstream: Upstream;
    readonly shared: SharedCache;
    readonly local: LocalCache;
    /** Entries that must no longer be used, in this pod's memory or derived from it. */
    readonly evictions: Evictions;
    readonly codec: EntryCodec;
    readonly redis: RedisCommands | undefined;
    readonly clock: SharedClock;
    readonly epochs: Epochs;
    readonly invalidations: Invalidations;
    readonly quarantines: Quarantines;
    readonly auth: Auth;
    readonly hotKeys: HotKeys;
    readonly ghosts: Ghosts;
    readonly registry: Registry;
    readonly metrics: ServiceMetrics;
    readonly feedback: FeedbackMetrics;
    readonly otherRequests: OtherRequestMetrics;
    readonly ledger: Ledger;
    readonly experiments: Experiments;
    readonly settings: RuntimeSettings;
    /** The longest time for which an entry that exists may still be fresh. */
    readonly longestTtlSeconds: () => number;
    /** The same until it is no longer served, even as a stale one. */
    readonly longestLifetimeMilliseconds: () => number;
    readonly tracing: Tracing;
}

/** Bound of the local cache in bytes, in addition to its number of entries. */
const MAX_LOCAL_BYTES = 512 * 1024 * 1024;
/** Scans of Redis without an entry after which it counts as filled, so that a pod's start does not wait. */
const MAX_SCANS = 200;

export async function createDependencies(
    config: Config,
    log: Log,
    timing: Timing = {},
): Promise<Dependencies> {
    const registry = createRegistry();
    const redis = config.redis && createRedisClient(config.redis, log);
    const memory: ResizableCache = createLocalCache({
        maxEntries: config.localCacheMaxEntries,
        maxBytes: MAX_LOCAL_BYTES,
        staleSeconds: config.staleIfErrorSeconds,
        supportsShortening: config.provider.name === "openai" && supportsShortening(config.model),
    });
    const settings = createRuntimeSettings({
        store: redis
            ? createRedisVersionedStore(redis.client, ...STORED_SETTINGS)
            : createInMemoryVersionedStore(),
        configured: config,
        localCacheEntriesLimit: config.localCacheEntriesLimit,
        experiments: config.experiments,
        onChange: () => {
            memory.resize(settings.valueOf("localCacheMaxEntries"));
        },
        log,
    });
    exportSettings(registry, settings, config.experiments);
    const longestTtlSeconds = (): number =>
        longestTtlOf(settings.longestTtlSeconds(), config.experiments);
    const longestLifetimeMilliseconds = (): number =>
        (longestTtlSeconds() + config.staleIfErrorSeconds) * 1000;
    const evictions = createEvictions();
    const evict = (isWrong: (embedding: Embedding) => boolean): void => {
        memory.removeWhere(isWrong);
        evictions.reset();
    };
    const dated = datedPrices(config.tokenPrices);
    const ledger = createLedger({
        registry,
        model: config.model,
        price:
            dated.length > 0
                ? createTokenPrices(dated)
                : createFlatPrice(Number(config.costPerRequestDollars)),
        dollarsPerHour: {
            pod: Number(config.podCostPerHourDollars),
            storage: Number(config.storageCostPerHourDollars),
        },
    });
    const upstream = await createUpstream(config, {
        log,
        registry,
        timing,
        redis,
        onWrongModel: evict,
        onProbe: (tokens) => {
            ledger.recordCall({ tenant: ANONYMOUS, purpose: "probe" }, tokens);
        },
    });
    const tiers = createTiers(config, {
        ...{ log, registry, upstream, redis, memory, evict, evictions },
        longestLifetimeMilliseconds,
    });
    const { local, shared } = tiers;
    const { colour, version, model } = config;
    const { provider, revision } = upstream;
    const metrics = createServiceMetrics({
        registry,
        build: { colour, version, provider, model, revision },
        localSize: local.size,
        isRedisUp: () => shared.state() === "up",
    });
    return {
        config,
        timing,
        log,
        upstream,
        redis,
        clock: redis ? createSharedClock(redis, log) : noSharedClock,
        evictions,
        ...tiers,
        registry,
        metrics,
        feedback: createFeedbackMetrics(registry),
        otherRequests: createOtherRequestMetrics(registry),
        ledger,
        settings,
        longestTtlSeconds,
        longestLifetimeMilliseconds,
        experiments: createExperiments(
            config.experiments,
            () => settings.valueOf("cacheTtlSeconds"),
            registry,
        ),
        tracing: await createTracing(config),
        auth: createAuth(
            config.tenants,
            redis && createRedisUsageStore(redis.client),
            log,
            metrics.onRejected,
            tokensOfPorts(config),
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
    readonly evict: (isWrong: (embedding: Embedding) => boolean) => void;
    readonly evictions: Evictions;
    readonly longestLifetimeMilliseconds: () => number;
}

/** Creates the caches and, with Redis, the records that decide what they serve. */
function createTiers(config: Config, dependencies: TierDependencies) {
    const { log, registry, upstream, redis, memory, evict, evictions } = dependencies;
    const staleSeconds = config.staleIfErrorSeconds;
    const buildId = buildIdOf([config.version, config.model, upstream.provider, upstream.revision]);
    const codec = createEntryCodec({ precision: config.cachePrecision, buildId });
    const invalidations = createInvalidations(
        redis ? createRedisInvalidationStore(redis.client) : createInMemoryInvalidationStore(),
        (key, invalidBefore) => {
            if ((memory.get(key)?.createdAt ?? Infinity) <= invalidBefore) memory.remove(key);
            evictions.forget(key);
        },
        log,
    );
    const quarantines = createQuarantines({
        store: redis ? createRedisQuarantineStore(redis.client) : noQuarantineStore,
        buildId,
        entryLifetimeMilliseconds: dependencies.longestLifetimeMilliseconds,
        evict,
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
                  onStored: (key, embedding) => ghosts.onStored(key, embedding),
              }),
              createQuarantineMetrics(registry),
          )
        : noSharedCache;
    const epochs = redis ? createSharedEpochs(redis, log) : createInMemoryEpochs();
    const isKnown = (): boolean => epochs.isKnown() && invalidations.isKnown();
    const shared = withMissesUntilKnown(isKnown, withSharedInvalidations(invalidations, redisTier));
    const ghosts = createGhosts({
        ...createGhostLookups(redis, codec, { ...upstream, model: config.model }, epochs),
        isAvailable: () => shared.state() === "up",
        isInvalidated: invalidations.isInvalidated,
        isHidden: (embedding) => quarantines.skipReason(embedding) !== undefined,
        entryLifetimeSeconds: () => dependencies.longestLifetimeMilliseconds() / 1000,
        events: createGhostMetrics(registry),
        log,
    });
    return {
        ghosts,
        codec,
        invalidations,
        quarantines,
        epochs,
        local: withLocalQuarantines(quarantines, withLocalInvalidations(invalidations, memory)),
        shared,
    };
}

/** What the ghosts read from Redis, and how they find the entries of earlier epochs. */
function createGhostLookups(
    redis: RedisCommands | undefined,
    codec: EntryCodec,
    { provider, model, revision }: VectorSpace,
    epochs: Epochs,
): Pick<GhostsOptions, "registry" | "hasNoEntries" | "findEntry" | "earlierKeysOf"> {
    const store = redis && createEntryStore(redis);
    return {
        registry: redis && createRedisGhostRegistry(redis.client),
        hasNoEntries: async () => {
            let scans = 0;
            for await (const keys of store?.keys() ?? []) {
                scans += 1;
                if (keys.length > 0 || scans > MAX_SCANS) return false;
            }
            return true;
        },
        findEntry: async (key) => {
            const [entry] = (await store?.read([key])) ?? [];
            if (!entry) return undefined;
            const embedding = codec.decode(key, entry, undefined);
            if (embedding) return embedding;
            throw new Error("The entry is corrupt or has an unknown format");
        },
        earlierKeysOf: ({ input }, { pool, dimensions }) =>
            epochs.earlier(pool).map((epoch) =>
                createKeyOf({
                    ...{ tenant: pool, epoch, provider, model, revision },
                    inputType: INPUT_TYPE,
                })(input, dimensions),
            ),
    };
}

interface UpstreamDependencies extends Pick<TierDependencies, "log" | "registry" | "redis"> {
    readonly timing: OpenaiTiming;
    /** Removes embeddings of another model from the local cache. */
    readonly onWrongModel: (isWrong: (embedding: Embedding) => boolean) => void;
    readonly onProbe: (tokens: number) => void;
}

async function createUpstream(
    { provider, model }: Config,
    parts: UpstreamDependencies,
): Promise<Upstream> {
    const { log, registry, timing, redis, onWrongModel, onProbe } = parts;
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
        onProbe,
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
