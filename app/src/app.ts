import { PATHS } from "@property-search/contract";

import { createAdmin } from "./admin/admin.ts";
import type { AdminServer } from "./admin/server.ts";
import { counted, readOnly } from "./cache/background.ts";
import { flights } from "./cache/singleFlight.ts";
import { origin } from "./cache/origin.ts";
import { entryStore } from "./cache/entryStore.ts";
import { resolver } from "./cache/resolver.ts";
import type { Config } from "./config.ts";
import { answers } from "./http/handler/responseBody.ts";
import { answerRoom } from "./http/handler/responseMemory.ts";
import { MAX_BYTES_OF_ALL_BODIES } from "./http/protocol/requestBody.ts";
import { byteBudget } from "./memory/byteBudget.ts";
import { withCors } from "./http/protocol/cors.ts";
import { embeddingsHandler } from "./http/handler/embeddings.ts";
import type { Handler } from "./http/protocol/exchange.ts";
import { largeBodies, type LargeBodies } from "./http/handler/largeBodies.ts";
import { modelPaths } from "./http/handler/modelRoutes.ts";
import { probes, type Health } from "./http/handler/probes.ts";
import { replies } from "./http/protocol/responder.ts";
import { parseEmbed, parseOpenai, type ModelLimits } from "./http/protocol/embeddingRequest.ts";
import { router } from "./http/protocol/router.ts";
import { tokenLimits } from "./http/handler/tokenLimits.ts";
import { keyMakers, spaceDigests } from "./key/key.ts";
import { normaliser } from "./key/normalise.ts";
import type { Log } from "./log.ts";
import type { OpenaiTiming } from "./upstream/openai/openai.ts";
import { openParts, type Parts } from "./container.ts";

export interface App {
    readonly listener: Handler;
    /** Undefined without an admin token. */
    readonly admin: AdminServer | undefined;
    /** Resolves when embeddings can be served. Probes are served earlier. */
    readonly start: () => Promise<void>;
    /** Makes the pod unready and closes each connection after its response. Requests are still served. */
    readonly drain: () => void;
    readonly close: () => Promise<void>;
}

export async function buildApp(config: Config, log: Log, timing?: OpenaiTiming): Promise<App> {
    return assemble(await openParts(config, log, timing));
}

/** Assembles the service from its dependencies. */
export async function assemble(parts: Parts): Promise<App> {
    const stage = { started: false, draining: false };
    const core = coreOf(parts);
    const report = reportOf(parts);
    const limits = { model: parts.config.model, ...parts.upstream };
    const large = largeBodies(limits, parts.config.textFolding);
    const admin = await createAdmin({ ...parts, ...core.forAdmin, report });
    return {
        admin: admin?.server,
        listener: listenerOf(parts, core, large, limits, {
            started: () => stage.started,
            draining: () => stage.draining,
            report,
        }),
        start: async () => {
            await Promise.all([parts.upstream.start(), startCaches(parts)]);
            stage.started = true;
        },
        drain: () => {
            stage.draining = true;
        },
        close: async () => {
            const { upstream, shared, tracing, hotKeys, entrance } = parts;
            for (const polled of [parts.epochs, parts.invalidations, parts.quarantines])
                polled.stop();
            await Promise.all([admin?.close(), hotKeys.close(), entrance.stop()]);
            await Promise.all([upstream.close(), shared.close(), tracing.close(), large.close()]);
        },
    };
}

/** Until the pod knows which entries may be served, all entries are misses and there is nothing to load. */
async function startCaches({ epochs, invalidations, quarantines, hotKeys }: Parts): Promise<void> {
    await Promise.all([epochs.start(), invalidations.start(), quarantines.start()]);
    if (quarantines.isUpToDate()) await hotKeys.warm();
}

type Core = ReturnType<typeof coreOf>;

/** From a text to its vector: key derivation and the resolver. */
function coreOf(parts: Parts) {
    const { config, upstream, local, shared, codec, epochs, quarantines, ledger, redis } = parts;
    const { entrance } = parts;
    const { provider, revision } = upstream;
    const space = { provider, model: config.model, revision, inputType: "none" };
    const keysOf = keyMakers(space, epochs.of);
    const spaceOf = spaceDigests(space, epochs.of);
    const normalise = normaliser(config.textFolding);
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
            reserve: ({ tenant, purpose }, items) =>
                purpose === "request"
                    ? entrance.tokenBudget.reserve(
                          tenant,
                          items.map(({ input }) => input),
                      )
                    : undefined,
            // An entry must not appear older than the quarantine in which it was made, even if the clock is
            // behind.
            stamp: (now) => Math.max(now, quarantines.ownRecord()?.since ?? 0),
        }),
    };
    const clients = counted(resolver(tiers));
    return {
        normalise,
        keysOf,
        resolver: clients.resolver,
        forAdmin: {
            normalise,
            keysOf,
            spaceOf,
            store: redis && entryStore(redis),
            // A warm-up of the shared cache must not evict the entries of clients from the local cache.
            resolver: resolver({
                ...tiers,
                local: shared.state() === "off" ? local : readOnly(local),
            }),
            waitingRequests: clients.waiting,
        },
    };
}

function listenerOf(
    parts: Parts,
    core: Core,
    large: LargeBodies,
    limits: ModelLimits,
    health: Health,
): Handler {
    const { config, log, upstream, entrance, registry, metrics, ledger } = parts;
    const { colour, version, model } = config;
    const { normalise } = core;
    const reply = replies({ colour, version, draining: health.draining });
    const handling = {
        ...parts,
        ...core,
        gate: entrance.gate,
        tooLong: tokenLimits(upstream.countTokens),
        bodyBudget: byteBudget(MAX_BYTES_OF_ALL_BODIES),
        answerRoom: answerRoom(),
        dimensions: upstream.dimensions,
        replies: reply,
        log,
    };
    const answer = answers(model);
    const exposition = {
        contentType: registry.contentType,
        metrics: () => {
            // Tenants without requests have series, too.
            const tenants = entrance.tenants();
            ledger.know(tenants);
            metrics.know(tenants);
            return registry.metrics();
        },
    };
    const openai = (format: "openai" | "deployment"): Handler => {
        const known = { ...limits, isModelKnown: format === "deployment" };
        return embeddingsHandler(handling, {
            route: PATHS.embeddings,
            parse: (body) => parseOpenai(body, known, normalise),
            parseLarge: large.readerOf(format),
            render: answer.openai,
        });
    };
    const embeddings = openai("openai");
    const named = modelPaths({
        model,
        provider: upstream.provider,
        gate: entrance.gate,
        embeddings,
        deployment: openai("deployment"),
        replies: reply,
    });
    const routed = router(
        {
            post: {
                [PATHS.embed]: embeddingsHandler(handling, {
                    route: PATHS.embed,
                    parse: (body) => parseEmbed(body, normalise, limits),
                    parseLarge: large.readerOf("embed"),
                    render: answer.embed,
                }),
                [PATHS.embeddings]: embeddings,
                ...named.post,
            },
            get: { ...probes(health, exposition, reply), ...named.get },
            unknownPath: named.unknownPath,
        },
        reply,
    );
    return withCors(config.corsOrigins, routed, reply);
}

/** Creates the status report of `/health` and the admin port. */
function reportOf({ config, upstream, shared, local, metrics }: Parts): Health["report"] {
    const { version, colour, model } = config;
    const { provider, revision } = upstream;
    return () => ({
        version,
        colour,
        model: { name: model, provider, revision, dimensions: upstream.dimensions() ?? null },
        redis: shared.state(),
        cache: { ...local.size(), hitPercent: finite(metrics.hitPercent()) },
        uptimeSeconds: Math.round(process.uptime()),
    });
}

/** JSON has no NaN. */
function finite(value: number): number | null {
    return Number.isFinite(value) ? value : null;
}
