import { PATHS } from "@property-search/contract";
import type { Registry } from "prom-client";

import { openAdmin } from "./admin/open.ts";
import type { AdminServer } from "./admin/server.ts";
import { counted, readOnly } from "./cache/background.ts";
import { flights } from "./cache/flights.ts";
import { localCache } from "./cache/local.ts";
import { origin } from "./cache/origin.ts";
import { redisCache } from "./cache/redis.ts";
import { entryStore } from "./cache/entryStore.ts";
import { redisClient, type RedisCommands } from "./cache/redisClient.ts";
import { resolver } from "./cache/resolve.ts";
import { noSharedCache, type LocalCache, type SharedCache } from "./cache/tiers.ts";
import type { Config } from "./config.ts";
import { answers } from "./http/answer.ts";
import { embeddingsHandler } from "./http/embeddings.ts";
import { probes } from "./http/probes.ts";
import { replies } from "./http/reply.ts";
import { hotKeys as openHotKeys, type HotKeys } from "./hotkeys/hotKeys.ts";
import { noHotKeyList, redisHotKeyList } from "./hotkeys/list.ts";
import { rankingCommands } from "./hotkeys/ranking.ts";
import { parseEmbed, parseOpenai } from "./http/request.ts";
import { router, type Handler } from "./http/router.ts";
import { tokenLimits } from "./http/tokenLimits.ts";
import { ownEpochs, sharedEpochs, type Epochs } from "./key/epochs.ts";
import { keyMakers, spaceDigests } from "./key/key.ts";
import { normaliser } from "./key/normalise.ts";
import type { Log } from "./log.ts";
import { openLedger, type Ledger } from "./ledger/ledger.ts";
import { flatPrice, tokenPrices } from "./ledger/prices.ts";
import { redisMetrics } from "./metrics/redis.ts";
import { openRegistry } from "./metrics/registry.ts";
import { serviceMetrics, type ServiceMetrics } from "./metrics/service.ts";
import { upstreamMetrics } from "./metrics/upstream.ts";
import { openEntrance, type Entrance } from "./tenants/entrance.ts";
import { LOCAL, localUpstream } from "./upstream/local/local.ts";
import { openaiUpstream, type OpenaiTiming } from "./upstream/openai/openai.ts";
import { noTracing, type Tracing } from "./tracing/tracing.ts";
import type { Upstream } from "./upstream/upstream.ts";
import { entryCodec, writerOf, type EntryCodec } from "./vector/entry.ts";
import { ownWithdrawals, redisWithdrawals } from "./withdrawals/store.ts";
import { localWithout, sharedWithout } from "./withdrawals/tiers.ts";
import { withdrawals as openWithdrawals, type Withdrawals } from "./withdrawals/withdrawals.ts";

export interface App {
    readonly listener: Handler;
    /** Undefined without a token for it. */
    readonly admin: AdminServer | undefined;
    /** Resolves when embeddings can be answered; probes answer before. */
    readonly start: () => Promise<void>;
    /** From now on not ready, and every answer closes its connection. Requests are still answered. */
    readonly drain: () => void;
    readonly close: () => Promise<void>;
}

/** Bound of the in-process cache beside its number of entries. */
const MAX_LOCAL_BYTES = 512 * 1024 * 1024;

/** Puts the parts together. */
export async function buildApp(config: Config, log: Log, timing: OpenaiTiming = {}): Promise<App> {
    const registry = openRegistry();
    const upstream = await openUpstream(config, log, registry, timing);
    const writer = writerOf([config.version, config.model, upstream.provider, upstream.revision]);
    const codec = entryCodec({ precision: config.cachePrecision, writer });
    const redis = config.redis && redisClient(config.redis, log);
    const redisTier = redis
        ? redisCache(redis, {
              codec,
              staleSeconds: config.cacheStaleSeconds,
              log,
              events: redisMetrics(registry),
          })
        : noSharedCache;
    const epochs = redis ? sharedEpochs(redis, log) : ownEpochs();
    const memory = localCache({
        maxEntries: config.maxLocalEntries,
        maxBytes: MAX_LOCAL_BYTES,
        staleSeconds: config.cacheStaleSeconds,
    });
    const withdrawals = openWithdrawals(
        redis ? redisWithdrawals(redis.client) : ownWithdrawals(),
        (key, upTo) => {
            if ((memory.get(key)?.createdAt ?? Infinity) <= upTo) memory.remove(key);
        },
        log,
    );
    const local = localWithout(withdrawals, memory);
    const shared = sharedWithout(withdrawals, redisTier);
    const { colour, version, model, money } = config;
    const { provider, revision } = upstream;
    const metrics = serviceMetrics({
        registry,
        build: { colour, version, provider, model, revision },
        localSize: local.size,
        redisUp: () => shared.state() === "up",
    });
    const ledger = openLedger({
        registry,
        model,
        price:
            money.tokenPrices.length > 0
                ? tokenPrices(money.tokenPrices)
                : flatPrice(money.perRequest),
        dollarsPerHour: { pod: money.podPerHour, storage: money.storagePerHour },
    });
    const entrance = openEntrance(config.tenants, redis, log, metrics.refused);
    const tracing = await openTracing(config);
    const hotKeys = openHotKeys({
        local,
        shared,
        list: redis
            ? redisHotKeyList(
                  rankingCommands(redis.client),
                  { ...upstream, model: config.model },
                  log,
              )
            : noHotKeyList,
        maxLocalEntries: config.maxLocalEntries,
        log,
    });
    const books = { registry, metrics, ledger, tracing };
    const tiers = { upstream, local, shared, codec, writer, redis, epochs, withdrawals };
    return assemble({ config, log, ...tiers, entrance, hotKeys, ...books });
}

export interface AppParts {
    readonly config: Config;
    readonly log: Log;
    readonly upstream: Upstream;
    readonly shared: SharedCache;
    readonly local: LocalCache;
    readonly codec: EntryCodec;
    /** Of this build's entries. */
    readonly writer: string;
    readonly redis: RedisCommands | undefined;
    readonly epochs: Epochs;
    readonly withdrawals: Withdrawals;
    readonly entrance: Entrance;
    readonly hotKeys: HotKeys;
    readonly registry: Registry;
    readonly metrics: ServiceMetrics;
    readonly ledger: Ledger;
    readonly tracing: Tracing;
}

export async function assemble(all: AppParts): Promise<App> {
    const { config, log, upstream, shared, local, codec, epochs, withdrawals } = all;
    const { entrance, hotKeys, redis, registry, metrics, ledger, tracing } = all;
    const { colour, version, model } = config;
    const { provider, revision } = upstream;
    let started = false;
    let draining = false;
    const reply = replies({ colour, version, draining: () => draining });
    const normalise = normaliser(config.textFolding);
    const space = { provider, model, revision, inputType: "none" };
    const keysOf = keyMakers(space, epochs.of);
    const spaceOf = spaceDigests(space, epochs.of);
    const tiers = {
        local,
        shared,
        flights: flights(),
        upstream,
        origin: origin({
            upstream,
            codec,
            ttlSeconds: config.cacheTtlSeconds,
            spaceOf,
            billed: ledger.billed,
        }),
    };
    const clients = counted(resolver(tiers));
    const parts = {
        gate: entrance.gate,
        keysOf,
        resolver: clients.resolver,
        hotKeys,
        tooLong: tokenLimits(upstream.countTokens),
        metrics,
        ledger,
        tracing,
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
    /** Also tenants that nobody has heard of yet have their series. */
    const exposition = {
        contentType: registry.contentType,
        metrics: () => {
            const tenants = entrance.tenants();
            ledger.know(tenants);
            metrics.know(tenants);
            return registry.metrics();
        },
    };
    const admin = await openAdmin({
        ...all,
        normalise,
        keysOf,
        spaceOf,
        store: redis && entryStore(redis),
        resolver: resolver({ ...tiers, local: shared.state() === "off" ? local : readOnly(local) }),
        waiting: clients.waiting,
        report: health.report,
    });
    return {
        admin: admin?.server,
        listener: router(
            {
                post: {
                    [PATHS.embed]: embeddingsHandler(parts, {
                        route: PATHS.embed,
                        parse: (body) => parseEmbed(body, normalise),
                        render: answer.embed,
                    }),
                    [PATHS.embeddings]: embeddingsHandler(parts, {
                        route: PATHS.embeddings,
                        parse: (body) => parseOpenai(body, limits, normalise),
                        render: answer.openai,
                    }),
                },
                get: probes(health, exposition, reply),
            },
            reply,
        ),
        start: async () => {
            await Promise.all([
                upstream.start(),
                epochs.start(),
                withdrawals.start(),
                hotKeys.warm(),
            ]);
            started = true;
        },
        drain: () => {
            draining = true;
        },
        close: async () => {
            epochs.stop();
            withdrawals.stop();
            await Promise.all([admin?.close(), hotKeys.close(), entrance.stop()]);
            await Promise.all([upstream.close(), shared.close(), tracing.close()]);
        },
    };
}

async function openUpstream(
    { provider, model }: Config,
    log: Log,
    registry: Registry,
    timing: OpenaiTiming,
): Promise<Upstream> {
    if (provider.name === "local") {
        const events = upstreamMetrics(registry, [LOCAL]);
        return localUpstream({ ...provider, log, events });
    }
    const endpoints = [provider.url, ...provider.fallbackUrls].map(({ host }) => host);
    const events = upstreamMetrics(registry, endpoints);
    return openaiUpstream({ ...provider, ...timing, model, log, events });
}

/** The exporter is loaded only where there is a collector. */
async function openTracing({ tracing, colour, version }: Config): Promise<Tracing> {
    if (!tracing) return noTracing;
    const { otlpTracing } = await import("./tracing/otlp.ts");
    return otlpTracing({ ...tracing, resource: { "service.version": version, colour } });
}

/** JSON has no NaN. */
function finite(value: number): number | null {
    return Number.isFinite(value) ? value : null;
}
