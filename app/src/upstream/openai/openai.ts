import type { Fallback, ProxyConfig } from "../../config.ts";
import type { Input } from "../../input.ts";
import type { Log } from "../../log.ts";
import type { Scope } from "../../requestContext.ts";
import type { Embedding } from "../../vector/embedding.ts";
import { batched } from "../batching/batching.ts";
import { callSizes } from "../batching/callSize.ts";
import { adaptiveConcurrency } from "../batching/concurrency.ts";
import {
    noEvents,
    outcomeOf,
    UpstreamError,
    type Upstream,
    type UpstreamEvents,
} from "../upstream.ts";
import { answerReader } from "./responseParser.ts";
import { openaiEndpoint, type Endpoint, type Wish } from "./endpoint.ts";
import { fallbacks, type ReferenceStore } from "./fallbacks.ts";
import { dimensionsFault, nativeDimensions, shortens } from "./models.ts";
import { retry, retryBudget, type Attempt } from "./retry.ts";
import { MOST_BYTES_PER_TOKEN } from "./tokenCounter.ts";
import { tokenThread } from "./tokenCounterThread.ts";
import { vectorLength } from "./vectorLength.ts";

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
    readonly log: Log;
    readonly events?: UpstreamEvents;
}

const ATTEMPTS = 4;
/** Attempts of a call with several inputs; then it is bisected, because one input may be the cause. */
const ATTEMPTS_UNDIVIDED = 2;
const MAX_RETRY_DELAY_MILLISECONDS = 4_000;
/** Below all of OpenAI's limits, because a failed call is repeated as a whole. */
const CALL_ITEMS = 256;
const CALL_BYTES = 256 * 1024;
/** If a full call takes less of an attempt's timeout than this, calls may be larger. */
const FAST_SHARE = 0.25;

const notKept: ReferenceStore = {
    read: () => Promise.resolve(undefined),
    write: () => Promise.resolve(),
};

/** Any API compatible with OpenAI's embeddings, at one or several endpoints. */
export function openaiUpstream(options: OpenaiOptions): Upstream {
    const { url, apiKey, model, log, events = noEvents, onWrongModel = () => undefined } = options;
    const { attemptTimeoutMilliseconds = 10_000, halfOpenAfterMilliseconds = 5_000 } = options;
    const tokens = tokenThread(model);
    const countTokens = tokens?.count;
    const answers = answerReader();
    const length = vectorLength({
        known: nativeDimensions(model),
        onChange: (former) => onWrongModel(({ vector }) => vector.length === former),
        log,
    });
    const endpointAt = (place: Fallback): Endpoint =>
        openaiEndpoint({
            ...place,
            model,
            countTokens,
            answers,
            length,
            attemptTimeoutMilliseconds,
            halfOpenAfterMilliseconds,
            proxy: options.proxy,
            log,
        });
    const primary = endpointAt({ url, apiKey });
    const others = (options.fallbacks ?? []).map(endpointAt);
    const spare = fallbacks({
        primary,
        others,
        reference: options.reference ?? notKept,
        onRefuted: () => onWrongModel(({ isUnverified }) => isUnverified === true),
        log,
    });
    const concurrency = adaptiveConcurrency();
    const budget = retryBudget();

    async function attempt(
        inputs: readonly Input[],
        { dimensions, deadline, span }: Scope,
    ): Promise<Attempt<readonly Embedding[]>> {
        const wish = { dimensions, deadline, span };
        const endpoint = choose();
        const outcome = await attemptAt(endpoint, inputs, wish);
        if (!("error" in outcome)) return outcome;
        // A failed endpoint is no reason to wait if another one is available.
        const next = mayHelp(outcome.error) ? spare.first() : undefined;
        return next && next !== endpoint ? attemptAt(next, inputs, wish) : outcome;
    }

    async function attemptAt(
        endpoint: Endpoint,
        inputs: readonly Input[],
        wish: Wish,
    ): Promise<Attempt<readonly Embedding[]>> {
        const begun = performance.now();
        const span = wish.span?.child("upstream attempt");
        const outcome = await endpoint.attempt(inputs, { ...wish, span });
        const seconds = (performance.now() - begun) / 1000;
        const error = "error" in outcome ? outcome.error : undefined;
        span?.end({ "server.address": endpoint.name, "embedding.inputs": inputs.length }, error);
        if ("error" in outcome && outcome.wasSent === false) return outcome;
        events.attempted(endpoint.name, error ? outcomeOf(error) : "ok", seconds);
        if (error && showsPressure(error)) concurrency.pressed();
        if ("error" in outcome || !spare.isUnverified(endpoint)) return outcome;
        return { value: outcome.value.map((one) => ({ ...one, isUnverified: true })) };
    }

    function choose(): Endpoint {
        return primary.isAvailable() ? primary : (spare.first() ?? primary);
    }

    const queue = batched(
        (inputs, scope) =>
            retry(() => attempt(inputs, scope), {
                attempts: (error) => (inputs.length === 1 ? ATTEMPTS : attemptsUndivided(error)),
                firstDelayMilliseconds: options.firstRetryDelayMilliseconds ?? 200,
                maxDelayMilliseconds: MAX_RETRY_DELAY_MILLISECONDS,
                deadline: scope.deadline,
                budget,
            }),
        {
            concurrency,
            sizes: callSizes({
                items: options.batchSize ?? CALL_ITEMS,
                bytes: CALL_BYTES,
                fastMilliseconds: attemptTimeoutMilliseconds * FAST_SHARE,
                log,
            }),
            events,
            mayRepeat: budget.take,
        },
    );

    return {
        provider: "openai",
        revision: options.revision ?? `${url.host}${url.pathname}`,
        dimensions: length.current,
        acceptsTokens: true,
        shortens: shortens(model),
        countTokens,
        mostBytesPerToken: tokens && MOST_BYTES_PER_TOKEN,
        dimensionsFault: (dimensions) => dimensionsFault(model, dimensions),
        start: async () => {
            spare.start();
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
                    status: spare.standingOf(one),
                })),
            ],
        }),
        close: async () => {
            spare.stop();
            await Promise.all([primary, ...others].map((one) => one.close()));
            await Promise.all([tokens?.close(), answers.close()]);
        },
    };
}

/** Other endpoints have their own limits, keys and outages, but reject the same inputs. */
function mayHelp(error: Error): boolean {
    return error instanceof UpstreamError && error.status !== 400;
}

function showsPressure(error: Error): boolean {
    return error instanceof UpstreamError && (error.status === 429 || error.status === 504);
}

function attemptsUndivided(error: Error): number {
    if (!(error instanceof UpstreamError)) return ATTEMPTS;
    // A smaller call is the better retry.
    if (error.code === "upstream_timeout") return 1;
    const mayBeInputs = ["upstream_error", "bad_upstream_response"].includes(error.code);
    return mayBeInputs ? ATTEMPTS_UNDIVIDED : ATTEMPTS;
}
