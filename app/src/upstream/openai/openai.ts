import type { Fallback, ProxyConfig } from "../config.ts";
import type { Input } from "../../input.ts";
import type { Log } from "../../log.ts";
import type { RequestContext } from "../../requestContext.ts";
import type { Embedding } from "../../vector/embedding.ts";
import { withBatching } from "../batching/batching.ts";
import { createCallSizes } from "../batching/callSize.ts";
import { createAdaptiveConcurrency } from "../batching/concurrency.ts";
import {
    noEvents,
    classifyOutcome,
    UpstreamError,
    type Upstream,
    type UpstreamEvents,
} from "../upstream.ts";
import { createResponseParser } from "./responseParser.ts";
import type { CallOptions } from "./apiClient.ts";
import { createEndpoint, type Endpoint } from "./endpoint.ts";
import { createFallbacks, type ReferenceStore } from "./fallbacks.ts";
import { dimensionsError, nativeDimensions, supportsShortening } from "./models.ts";
import { retry, createRetryBudgets, type Attempt } from "./retry.ts";
import { MAX_BYTES_PER_TOKEN } from "./tokenCounter.ts";
import { createTokenCounterThread } from "./tokenCounterThread.ts";
import { createVectorLength } from "./vectorLength.ts";

/** Timing of the upstream, if not the default. */
export interface OpenaiTiming {
    readonly attemptTimeoutMilliseconds?: number;
    readonly firstRetryDelayMilliseconds?: number;
    readonly halfOpenAfterMilliseconds?: number;
}

export interface OpenaiOptions extends OpenaiTiming {
    /** Base URL with the version path, such as `https://host/v1`. */
    readonly url: URL;
    /** In the order in which they are tried. */
    readonly fallbacks?: readonly Fallback[];
    readonly apiKey: string | undefined;
    readonly model: string;
    /** Identifies the weights. Default: host and path of the URL. */
    readonly revision?: string | undefined;
    /** Maximum inputs per call; lower limits of the provider are learned. */
    readonly batchSize?: number | undefined;
    readonly proxy?: ProxyConfig | undefined;
    /** Stores the primary's vector of the probe text. Default: not stored. */
    readonly reference?: ReferenceStore | undefined;
    /**
     * Called with a predicate of the embeddings that belong to another model and must not be served any more.
     */
    readonly onWrongModel?: (isWrong: (embedding: Embedding) => boolean) => void;
    /** Called with the tokens of each probe, which no request pays for. Default: not counted. */
    readonly onProbe?: (tokens: number) => void;
    readonly log: Log;
    readonly events?: UpstreamEvents;
}

const ATTEMPTS = 4;
/** Attempts of a call with several inputs; then it is bisected, because one input may be the cause. */
const BATCH_ATTEMPTS = 2;
const MAX_RETRY_DELAY_MILLISECONDS = 4_000;
/** Below all of OpenAI's limits, because a failed call is repeated as a whole. */
const CALL_ITEMS = 256;
const CALL_BYTES = 256 * 1024;
/** If a full call takes less of an attempt's timeout than this, calls may be larger. */
const FAST_SHARE = 0.25;

const noReferenceStore: ReferenceStore = {
    read: () => Promise.resolve(undefined),
    write: () => Promise.resolve(),
};

/** Any API compatible with OpenAI's embeddings, at one or several endpoints. */
export function createOpenaiUpstream(options: OpenaiOptions): Upstream {
    const { url, apiKey, model, log, events = noEvents, onWrongModel = () => undefined } = options;
    const { attemptTimeoutMilliseconds = 10_000, halfOpenAfterMilliseconds = 5_000 } = options;
    const tokens = createTokenCounterThread(model);
    const countTokens = tokens?.count;
    const responseParser = createResponseParser();
    const length = createVectorLength({
        known: nativeDimensions(model),
        onChange: (former) => onWrongModel(({ vector }) => vector.length === former),
        log,
    });
    const createEndpointAt = (place: Fallback): Endpoint =>
        createEndpoint({
            ...place,
            model,
            countTokens: tokens?.countForShares,
            responseParser,
            length,
            attemptTimeoutMilliseconds,
            halfOpenAfterMilliseconds,
            proxy: options.proxy,
            onProbe: options.onProbe ?? (() => undefined),
            log,
        });
    const primary = createEndpointAt({ url, apiKey });
    const others = (options.fallbacks ?? []).map(createEndpointAt);
    const fallbacks = createFallbacks({
        primary,
        others,
        reference: options.reference ?? noReferenceStore,
        onRejected: () => onWrongModel(({ isUnverified }) => isUnverified === true),
        log,
    });
    const concurrency = createAdaptiveConcurrency();
    const retryBudgetOf = createRetryBudgets();

    async function attempt(
        inputs: readonly Input[],
        { dimensions, deadline, span }: RequestContext,
    ): Promise<Attempt<readonly Embedding[]>> {
        const callOptions = { dimensions, deadline, span };
        const endpoint = chooseEndpoint();
        const outcome = await attemptAt(endpoint, inputs, callOptions);
        if (!("error" in outcome)) return outcome;
        // A failed endpoint is no reason to wait if another one is available.
        const next = mayOtherEndpointHelp(outcome.error) ? fallbacks.findAvailable() : undefined;
        return next && next !== endpoint ? attemptAt(next, inputs, callOptions) : outcome;
    }

    async function attemptAt(
        endpoint: Endpoint,
        inputs: readonly Input[],
        callOptions: CallOptions,
    ): Promise<Attempt<readonly Embedding[]>> {
        const startedAt = performance.now();
        const span = callOptions.span?.child("upstream attempt");
        const outcome = await endpoint.attempt(inputs, { ...callOptions, span });
        const seconds = (performance.now() - startedAt) / 1000;
        const error = "error" in outcome ? outcome.error : undefined;
        span?.end({ "server.address": endpoint.name, "embedding.inputs": inputs.length }, error);
        if ("error" in outcome && outcome.wasSent === false) return outcome;
        events.onAttempt(endpoint.name, error ? classifyOutcome(error) : "ok", seconds);
        if (error && isOverload(error)) concurrency.onOverload();
        if ("error" in outcome || !fallbacks.isUnverified(endpoint)) return outcome;
        return { value: outcome.value.map((one) => ({ ...one, isUnverified: true })) };
    }

    function chooseEndpoint(): Endpoint {
        return primary.isAvailable() ? primary : (fallbacks.findAvailable() ?? primary);
    }

    const queue = withBatching(
        (inputs, context) =>
            retry(() => attempt(inputs, context), {
                attempts: (error) => (inputs.length === 1 ? ATTEMPTS : maxAttemptsOfBatch(error)),
                firstDelayMilliseconds: options.firstRetryDelayMilliseconds ?? 200,
                maxDelayMilliseconds: MAX_RETRY_DELAY_MILLISECONDS,
                deadline: context.deadline,
                budget: retryBudgetOf(context.tenant),
            }),
        {
            concurrency,
            sizes: createCallSizes({
                items: options.batchSize ?? CALL_ITEMS,
                bytes: CALL_BYTES,
                fastMilliseconds: attemptTimeoutMilliseconds * FAST_SHARE,
                log,
            }),
            events,
            mayRepeat: (tenant) => retryBudgetOf(tenant).take(),
        },
    );

    return {
        provider: "openai",
        revision: options.revision ?? `${url.host}${url.pathname}`,
        dimensions: length.current,
        acceptsTokens: true,
        supportsShortening: supportsShortening(model),
        countTokens,
        maxBytesPerToken: tokens && MAX_BYTES_PER_TOKEN,
        dimensionsError: (dimensions) => dimensionsError(model, dimensions),
        start: async () => {
            fallbacks.start();
            // Loading the tables takes 200 ms: before readiness instead of during a request.
            await countTokens?.("", 0).catch((error: unknown) =>
                log.error(
                    { error: String(error) },
                    "Tokens cannot be counted: token limits are disabled",
                ),
            );
        },
        embed: queue.embed,
        state: () => ({
            ...queue.state(),
            endpoints: [
                { ...primary.state(), role: "primary" },
                ...others.map((one) => ({
                    ...one.state(),
                    role: "fallback",
                    status: fallbacks.statusOf(one),
                })),
            ],
        }),
        close: async () => {
            fallbacks.stop();
            await Promise.all([primary, ...others].map((one) => one.close()));
            await Promise.all([tokens?.close(), responseParser.close()]);
        },
    };
}

/** Other endpoints have their own limits, keys and outages, but reject the same inputs. */
function mayOtherEndpointHelp(error: Error): boolean {
    return error instanceof UpstreamError && error.status !== 400;
}

function isOverload(error: Error): boolean {
    return error instanceof UpstreamError && (error.status === 429 || error.status === 504);
}

function maxAttemptsOfBatch(error: Error): number {
    if (!(error instanceof UpstreamError)) return ATTEMPTS;
    // A smaller call is the better retry.
    if (error.code === "upstream_timeout") return 1;
    const mayBeInputs = ["upstream_error", "bad_upstream_response"].includes(error.code);
    return mayBeInputs ? BATCH_ATTEMPTS : ATTEMPTS;
}
