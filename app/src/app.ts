import { PATHS, type OtherRoute } from "@property-search/contract";

import { createAdmin } from "./admin/admin.ts";
import type { AdminServer } from "./admin/server.ts";
import { countWaiting, withoutWrites } from "./cache/background.ts";
import { createSingleFlight } from "./cache/singleFlight.ts";
import { createOrigin } from "./cache/origin.ts";
import { createEntryStore } from "./cache/entryStore.ts";
import { createResolver } from "./cache/resolver.ts";
import type { Config } from "./config.ts";
import { withGhosts } from "./ghosts/tiers.ts";
import { createResponseFormats } from "./http/handler/responseBody.ts";
import { createResponseMemory } from "./http/handler/responseMemory.ts";
import { MAX_BYTES_OF_ALL_BODIES } from "./http/protocol/requestBody.ts";
import { createByteBudget } from "./memory/byteBudget.ts";
import { withCors } from "./http/protocol/cors.ts";
import { createFeedbackHandler } from "./http/handler/feedback.ts";
import { createEmbeddingsHandler } from "./http/handler/embeddings.ts";
import type { Handler } from "./http/protocol/exchange.ts";
import { createLargeBodyParser, type LargeBodyParser } from "./http/handler/largeBodies.ts";
import { createModelRoutes } from "./http/handler/modelRoutes.ts";
import { createProbes, type Health } from "./http/handler/probes.ts";
import { createResponder } from "./http/protocol/responder.ts";
import { parseEmbed, parseOpenai, type ModelLimits } from "./http/protocol/embeddingRequest.ts";
import { withRequestCount } from "./http/protocol/countRequests.ts";
import { createRouter } from "./http/protocol/router.ts";
import { createTokenLimitsCheck } from "./http/handler/tokenLimits.ts";
import { createKeysOf, createSpaceOf, INPUT_TYPE } from "./key/key.ts";
import { createNormaliser } from "./key/normalise.ts";
import type { Log } from "./log.ts";
import { createDependencies, type Dependencies, type Timing } from "./container.ts";
import { withReuse } from "./reuse/resolver.ts";
import { createSemanticReuse } from "./reuseContainer.ts";

export interface App {
    readonly listener: Handler;
    /** Undefined without an admin token. */
    readonly admin: AdminServer | undefined;
    /** Undefined without an automation token. */
    readonly automation: AdminServer | undefined;
    /** Resolves when embeddings can be served. Probes are served earlier. */
    readonly start: () => Promise<void>;
    /** Makes the pod unready and closes each connection after its response. Requests are still served. */
    readonly drain: () => void;
    readonly close: () => Promise<void>;
}

export async function buildApp(config: Config, log: Log, timing?: Timing): Promise<App> {
    return assemble(await createDependencies(config, log, timing));
}

/** Assembles the service from its dependencies. */
export async function assemble(dependencies: Dependencies): Promise<App> {
    const lifecycle = { started: false, draining: false };
    const core = createCore(dependencies);
    const report = createReport(dependencies);
    const limits = { model: dependencies.config.model, ...dependencies.upstream };
    const largeBodies = createLargeBodyParser(limits, dependencies.config.textFolding);
    const { onRequestEnd } = dependencies.otherRequests;
    const admin = await createAdmin({ ...dependencies, ...core.forAdmin, onRequestEnd, report });
    return {
        admin: admin?.server,
        automation: admin?.automation,
        listener: createListener(dependencies, core, largeBodies, limits, {
            isStarted: () => lifecycle.started,
            isDraining: () => lifecycle.draining,
            report,
        }),
        start: async () => {
            await Promise.all([
                dependencies.upstream.start(),
                startCaches(dependencies),
                core.semantic?.start(),
            ]);
            lifecycle.started = true;
        },
        drain: () => {
            lifecycle.draining = true;
        },
        close: async () => {
            const { upstream, shared, tracing, hotKeys, ghosts, auth } = dependencies;
            for (const polled of [
                dependencies.clock,
                dependencies.epochs,
                dependencies.invalidations,
                dependencies.quarantines,
                dependencies.settings,
            ])
                polled.stop();
            await Promise.all([
                admin?.close(),
                hotKeys.close(),
                ghosts.stop(),
                auth.stop(),
                core.semantic?.close(),
            ]);
            await Promise.all([
                upstream.close(),
                shared.close(),
                tracing.close(),
                largeBodies.close(),
            ]);
        },
    };
}

/** Until the pod knows which entries may be served, all entries are misses and there is nothing to load. */
async function startCaches({
    clock,
    epochs,
    invalidations,
    quarantines,
    settings,
    hotKeys,
    ghosts,
}: Dependencies): Promise<void> {
    // Before anything is compared with the times of other pods.
    await clock.start();
    await Promise.all([
        epochs.start(),
        invalidations.start(),
        quarantines.start(),
        settings.start(),
    ]);
    await ghosts.start();
    if (quarantines.isUpToDate()) await hotKeys.warm();
}

type Core = ReturnType<typeof createCore>;

/** From a text to its vector: key derivation and the resolver. */
function createCore(dependencies: Dependencies) {
    const { config, upstream, local, shared, codec, epochs, quarantines, ledger, redis } =
        dependencies;
    const { auth, experiments, ghosts } = dependencies;
    const { provider, revision } = upstream;
    const space = { provider, model: config.model, revision, inputType: INPUT_TYPE };
    const keysOf = createKeysOf(space, epochs.get);
    const spaceOf = createSpaceOf(space, epochs.get);
    const normalise = createNormaliser(config.textFolding);
    const tiers = {
        local: withGhosts(ghosts, local),
        shared,
        explainMisses: ghosts.explain,
        singleFlight: createSingleFlight(),
        upstream,
        origin: createOrigin({
            upstream,
            codec,
            ttlSecondsOf: experiments.ttlSecondsOf,
            spaceOf,
            onBilled: ledger.recordCall,
            reserve: ({ tenant, purpose }, items) =>
                purpose === "request" || purpose === "audit"
                    ? auth.tokenBudget.reserve(
                          tenant,
                          items.map(({ input }) => input),
                      )
                    : undefined,
            // An entry must not appear older than the quarantine in which it was made, even if the clock is
            // behind.
            stamp: (now) => Math.max(now, quarantines.ownRecord()?.since ?? 0),
        }),
    };
    const exact = createResolver(tiers);
    const semantic = createSemanticReuse(dependencies, spaceOf);
    const tracked = countWaiting(
        semantic
            ? withReuse(exact, {
                  reuse: semantic.reuse,
                  local,
                  shared,
                  dimensions: upstream.dimensions,
                  cacheModeOf: experiments.cacheModeOf,
              })
            : exact,
    );
    return {
        normalise,
        keysOf,
        semantic,
        resolver: tracked.resolver,
        forAdmin: {
            semantic,
            normalise,
            keysOf,
            spaceOf,
            store: redis && createEntryStore(redis),
            // A warm-up of the shared cache must not evict the entries of clients from the local cache.
            resolver: createResolver({
                ...tiers,
                local: shared.state() === "off" ? local : withoutWrites(local),
            }),
            waitingRequests: tracked.waiting,
        },
    };
}

function createListener(
    dependencies: Dependencies,
    core: Core,
    largeBodies: LargeBodyParser,
    limits: ModelLimits,
    health: Health,
): Handler {
    const { config, log, upstream, auth, registry, metrics, ledger, feedback } = dependencies;
    const { otherRequests } = dependencies;
    const { colour, version, model } = config;
    const { normalise } = core;
    const responder = createResponder({ colour, version, isDraining: health.isDraining });
    const handlerDependencies = {
        ...dependencies,
        ...core,
        authenticator: auth.authenticator,
        chooseCacheMode: core.semantic?.chooseCacheMode,
        checkTokenLimits: createTokenLimitsCheck(upstream.countTokens),
        bodyBudget: createByteBudget(MAX_BYTES_OF_ALL_BODIES),
        responseMemory: createResponseMemory(),
        dimensions: upstream.dimensions,
        responder,
        log,
    };
    const formats = createResponseFormats(model);
    const exposition = {
        contentType: registry.contentType,
        metrics: () => {
            // Tenants without requests have series, too.
            const tenants = auth.tenants();
            ledger.initialiseSeries(tenants);
            metrics.initialiseSeries(tenants);
            feedback.initialiseSeries(tenants);
            return registry.metrics();
        },
    };
    const createOpenaiHandler = (format: "openai" | "deployment"): Handler => {
        const formatLimits = { ...limits, isModelKnown: format === "deployment" };
        return createEmbeddingsHandler(handlerDependencies, {
            route: PATHS.embeddings,
            parse: (body) => parseOpenai(body, formatLimits, normalise),
            parseLarge: largeBodies.parserFor(format),
            formatResponse: formats.openai,
        });
    };
    const embeddings = createOpenaiHandler("openai");
    const count = (route: OtherRoute) => (code: number) => otherRequests.onRequestEnd(route, code);
    const modelRoutes = createModelRoutes({
        model,
        provider: upstream.provider,
        authenticator: auth.authenticator,
        embeddings,
        deployment: createOpenaiHandler("deployment"),
        responder,
        onModelsRequestEnd: count(PATHS.models),
    });
    const handler = createRouter(
        {
            post: {
                [PATHS.embed]: createEmbeddingsHandler(handlerDependencies, {
                    route: PATHS.embed,
                    parse: (body) => parseEmbed(body, normalise, limits),
                    parseLarge: largeBodies.parserFor("embed"),
                    formatResponse: formats.embed,
                }),
                [PATHS.embeddings]: embeddings,
                [PATHS.feedback]: withRequestCount(
                    createFeedbackHandler(handlerDependencies),
                    count(PATHS.feedback),
                ),
                ...modelRoutes.post,
            },
            get: { ...createProbes(health, exposition, responder), ...modelRoutes.get },
            findPathError: modelRoutes.findPathError,
        },
        responder,
        count("unmatched"),
    );
    return withCors(config.corsOrigins, handler, responder);
}

/** Creates the status report of `/health` and the admin port. */
function createReport({
    config,
    upstream,
    shared,
    local,
    metrics,
}: Dependencies): Health["report"] {
    const { version, colour, model } = config;
    const { provider, revision } = upstream;
    return () => ({
        version,
        colour,
        model: { name: model, provider, revision, dimensions: upstream.dimensions() ?? null },
        redis: shared.state(),
        cache: { ...local.size(), hitPercent: finiteOrNull(metrics.hitPercent()) },
        uptimeSeconds: Math.round(process.uptime()),
    });
}

/** JSON has no NaN. */
function finiteOrNull(value: number): number | null {
    return Number.isFinite(value) ? value : null;
}
