import { datedPrices } from "@property-search/contract/settings";
import type { Registry } from "prom-client";
import { localCache } from "./cache/local.ts";
import { redisCache } from "./cache/redis.ts";
import { redisClient, type RedisCommands } from "./cache/redisClient.ts";
import { noSharedCache, type LocalCache, type SharedCache } from "./cache/tiers.ts";
import type { Config } from "./config.ts";
import { hotKeys as openHotKeys, type HotKeys } from "./hotkeys/hotKeys.ts";
import { noHotKeyList, redisHotKeyList } from "./hotkeys/list.ts";
import { rankingCommands } from "./hotkeys/ranking.ts";
import { ownEpochs, sharedEpochs, type Epochs } from "./key/epochs.ts";
import type { Log } from "./log.ts";
import { openLedger, type Ledger } from "./ledger/ledger.ts";
import { flatPrice, tokenPrices } from "./ledger/prices.ts";
import { redisMetrics } from "./metrics/redis.ts";
import { openRegistry } from "./metrics/registry.ts";
import { serviceMetrics, type ServiceMetrics } from "./metrics/service.ts";
import { trialMetrics } from "./metrics/trials.ts";
import { upstreamMetrics } from "./metrics/upstream.ts";
import { openEntrance, type Entrance } from "./tenants/entrance.ts";
import { redisUsage } from "./tenants/usageStore.ts";
import { LOCAL, localUpstream } from "./upstream/local/local.ts";
import { shortens } from "./upstream/openai/models.ts";
import { openaiUpstream, type OpenaiTiming } from "./upstream/openai/openai.ts";
import { redisReference } from "./upstream/openai/reference.ts";
import { noTracing, type Tracing } from "./tracing/tracing.ts";
import { noTrials, redisTrials } from "./trials/store.ts";
import { localOnTrial, sharedOnTrial } from "./trials/tiers.ts";
import { openTrials, type Trials } from "./trials/trials.ts";
import type { Upstream } from "./upstream/upstream.ts";
import type { Embedding } from "./vector/embedding.ts";
import { entryCodec, writerOf, type EntryCodec } from "./vector/entry.ts";
import { ownWithdrawals, redisWithdrawals } from "./withdrawals/store.ts";
import { localWithout, sharedWhenKnown, sharedWithout } from "./withdrawals/tiers.ts";
import { withdrawals as openWithdrawals, type Withdrawals } from "./withdrawals/withdrawals.ts";

/** Everything that the service is put together from, opened but not started. */
export interface Parts {
    readonly config: Config;
    readonly log: Log;
    readonly upstream: Upstream;
    readonly shared: SharedCache;
    readonly local: LocalCache;
    readonly codec: EntryCodec;
    readonly redis: RedisCommands | undefined;
    readonly epochs: Epochs;
    readonly withdrawals: Withdrawals;
    readonly trials: Trials;
    readonly entrance: Entrance;
    readonly hotKeys: HotKeys;
    readonly registry: Registry;
    readonly metrics: ServiceMetrics;
    readonly ledger: Ledger;
    readonly tracing: Tracing;
}

/** Bound of the in-process cache beside its number of entries. */
const MAX_LOCAL_BYTES = 512 * 1024 * 1024;

/** @param timing of the upstream, where it is not what a service in production has */
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

/** The caches, and what is kept beside them in Redis where there is one. */
function openTiers(config: Config, { log, registry, upstream, redis, memory }: TierParts) {
    const staleSeconds = config.staleIfErrorSeconds;
    const writer = writerOf([config.version, config.model, upstream.provider, upstream.revision]);
    const codec = entryCodec({ precision: config.cachePrecision, writer });
    const withdrawals = openWithdrawals(
        redis ? redisWithdrawals(redis.client) : ownWithdrawals(),
        (key, upTo) => {
            if ((memory.get(key)?.createdAt ?? Infinity) <= upTo) memory.remove(key);
        },
        log,
    );
    const trials = openTrials({
        store: redis ? redisTrials(redis.client) : noTrials,
        writer,
        lifeMilliseconds: (config.cacheTtlSeconds + staleSeconds) * 1000,
        evict: memory.removeAll,
        log,
    });
    const redisTier = redis
        ? sharedOnTrial(
              trials,
              redisCache(redis, { codec, staleSeconds, log, events: redisMetrics(registry) }),
              trialMetrics(registry),
          )
        : noSharedCache;
    const epochs = redis ? sharedEpochs(redis, log) : ownEpochs();
    const isKnown = (): boolean => epochs.isKnown() && withdrawals.isKnown();
    return {
        codec,
        withdrawals,
        trials,
        epochs,
        local: localOnTrial(trials, localWithout(withdrawals, memory)),
        shared: sharedWhenKnown(isKnown, sharedWithout(withdrawals, redisTier)),
    };
}

interface UpstreamParts extends Pick<TierParts, "log" | "registry" | "redis"> {
    readonly timing: OpenaiTiming;
    /** Takes embeddings of another model out of this process's memory. */
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

/** The exporter is loaded only where there is a collector. */
async function openTracing({ tracing, colour, version }: Config): Promise<Tracing> {
    if (!tracing) return noTracing;
    const { otlpTracing } = await import("./tracing/otlp.ts");
    return otlpTracing({ ...tracing, resource: { "service.version": version, colour } });
}
