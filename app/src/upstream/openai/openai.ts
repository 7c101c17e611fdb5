import type { Input } from "../../input.ts";
import type { Log } from "../../log.ts";
import type { Scope } from "../../scope.ts";
import type { Embedding } from "../../vector/embedding.ts";
import { batched } from "../batched.ts";
import { adaptiveConcurrency } from "../concurrency.ts";
import {
    noEvents,
    outcomeOf,
    UpstreamError,
    type Upstream,
    type UpstreamEvents,
} from "../upstream.ts";
import { openaiEndpoint, type Endpoint, type Wish } from "./endpoint.ts";
import { fallbacks } from "./fallbacks.ts";
import { dimensionsFault, nativeDimensions, shortens } from "./models.ts";
import { retry, retryBudget, type Attempt } from "./retry.ts";
import { tokenCounter } from "./tokens.ts";

/** How long the upstream is waited for, where it is not the default. */
export interface OpenaiTiming {
    readonly attemptTimeoutMilliseconds?: number;
    readonly firstRetryDelayMilliseconds?: number;
    readonly halfOpenAfterMilliseconds?: number;
}

export interface OpenaiOptions extends OpenaiTiming {
    /** Base with the version path, such as `https://host/v1`. */
    readonly url: URL;
    /** Others that serve the same model at the same revision, in the order in which they are tried. */
    readonly fallbackUrls?: readonly URL[];
    readonly apiKey: string | undefined;
    readonly model: string;
    /** Names the weights; default: the host and path, since nothing better is known. */
    readonly revision?: string | undefined;
    readonly log: Log;
    readonly events?: UpstreamEvents;
}

const ATTEMPTS = 4;
const MAX_RETRY_DELAY_MILLISECONDS = 4_000;

/** Any API that speaks OpenAI's embeddings contract, at one place or at several. */
export function openaiUpstream(options: OpenaiOptions): Upstream {
    const { url, fallbackUrls = [], apiKey, model, log, events = noEvents } = options;
    const countTokens = tokenCounter(model);
    const endpointAt = (place: URL): Endpoint =>
        openaiEndpoint({
            url: place,
            apiKey,
            model,
            countTokens,
            attemptTimeoutMilliseconds: options.attemptTimeoutMilliseconds ?? 10_000,
            halfOpenAfterMilliseconds: options.halfOpenAfterMilliseconds ?? 5_000,
        });
    const primary = endpointAt(url);
    const others = fallbackUrls.map(endpointAt);
    const spare = fallbacks(primary, others, log);
    const concurrency = adaptiveConcurrency();
    const budget = retryBudget();
    let native = nativeDimensions(model);

    async function attempt(
        inputs: readonly Input[],
        { dimensions, deadline, span }: Scope,
    ): Promise<Attempt<readonly Embedding[]>> {
        const wish = { dimensions, length: dimensions ?? native, deadline, span };
        const endpoint = choose();
        const outcome = await attemptAt(endpoint, inputs, wish);
        if (!("error" in outcome)) return outcome;
        // An endpoint that failed is no reason to wait where another one serves.
        const next = isDown(outcome.error) ? spare.first() : undefined;
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
        events.attempted(endpoint.name, error ? outcomeOf(error) : "ok", seconds);
        if (error && showsPressure(error)) concurrency.pressed();
        return outcome;
    }

    function choose(): Endpoint {
        return primary.closed() ? primary : (spare.first() ?? primary);
    }

    const embed = batched(
        {
            embed: async (inputs, scope) => {
                const embeddings = await retry(() => attempt(inputs, scope), {
                    attempts: ATTEMPTS,
                    firstDelayMilliseconds: options.firstRetryDelayMilliseconds ?? 200,
                    maxDelayMilliseconds: MAX_RETRY_DELAY_MILLISECONDS,
                    deadline: scope.deadline,
                    budget,
                });
                if (scope.dimensions === undefined) native ??= embeddings[0]?.vector.length;
                return embeddings;
            },
        },
        { concurrency, events },
    );

    return {
        provider: "openai",
        revision: options.revision ?? `${url.host}${url.pathname}`,
        dimensions: () => native,
        acceptsTokens: true,
        shortens: shortens(model),
        countTokens,
        dimensionsFault: (dimensions) => dimensionsFault(model, dimensions),
        start: () => {
            spare.start();
            return Promise.resolve();
        },
        embed,
        close: async () => {
            spare.stop();
            await Promise.all([primary, ...others].map((one) => one.close()));
        },
    };
}

function isDown(error: Error): boolean {
    return error instanceof UpstreamError && error.status >= 500;
}

function showsPressure(error: Error): boolean {
    return error instanceof UpstreamError && (error.status === 429 || error.status === 504);
}
