import { HEADERS } from "@property-search/contract";
import OpenAI, { APIError } from "openai";
import type { CreateEmbeddingResponse } from "openai/resources/embeddings";
import { boundedFetch, reasonOf } from "./upstream.ts";
import type { EmbeddingPurpose, Metrics } from "./metrics.ts";

/** Vectors of texts in their order, each of length 1, and the x-cache header of the response. */
export interface Embedded {
    readonly vectors: readonly Float32Array[];
    /** Undefined: the API is not the cached embedding service. */
    readonly cache: string | undefined;
}

/** The embeddings API gave no vectors. */
export class EmbeddingError extends Error {
    /** Seconds after which another call may succeed. */
    readonly retryAfterSeconds: number;

    constructor(message: string, retryAfterSeconds: number) {
        super(message);
        this.name = "EmbeddingError";
        this.retryAfterSeconds = retryAfterSeconds;
    }
}

/**
 * Embeds texts.
 *
 * @throws EmbeddingError
 */
export type Embed = (purpose: EmbeddingPurpose, texts: readonly string[]) => Promise<Embedded>;

export interface EmbedOptions {
    readonly url: string;
    /** Empty: none is needed. */
    readonly apiKey: string;
    readonly model: string;
    /** Of a call, with all retries. */
    readonly timeoutMilliseconds: number;
}

const DEFAULT_RETRY_SECONDS = 2;
const MAX_RETRY_SECONDS = 60;

/** The official SDK, with another base URL. It retries failed connections and statuses such as 429 and 503 twice. */
export function createEmbed(
    { url, apiKey, model, timeoutMilliseconds }: EmbedOptions,
    metrics: Pick<Metrics, "onEmbeddingCall">,
): Embed {
    const client = new OpenAI({
        baseURL: url,
        // The SDK wants one.
        apiKey: apiKey === "" ? "none" : apiKey,
        timeout: timeoutMilliseconds,
        logLevel: "off",
        fetch: boundedFetch,
    });
    /** Numbers of each vector: those of another length cannot be compared. */
    let dimensions: number | undefined;
    return async (purpose, texts) => {
        try {
            // The SDK's limit is that of one attempt.
            const { data, response } = await withDeadline(
                (signal) =>
                    client.embeddings
                        .create({ model, input: [...texts] }, { signal })
                        .withResponse(),
                timeoutMilliseconds,
            );
            const vectors = readVectors(data, texts.length, dimensions);
            dimensions ??= vectors[0]?.length;
            const cache = response.headers.get(HEADERS.cache) ?? undefined;
            metrics.onEmbeddingCall(purpose, cache);
            return { vectors, cache };
        } catch (error) {
            metrics.onEmbeddingCall(purpose, "ERROR");
            throw toEmbeddingError(error, apiKey);
        }
    };
}

/** Cosine of two vectors of length 1. */
export function cosine(one: Float32Array, other: Float32Array): number {
    let sum = 0;
    for (let index = 0; index < one.length; index += 1) {
        sum += (one[index] ?? 0) * (other[index] ?? 0);
    }
    return sum;
}

/**
 * The vectors of a response, in the order of the texts.
 *
 * @param dimensions numbers of a vector; undefined: any, but the same for all
 */
function readVectors(
    answer: Partial<CreateEmbeddingResponse>,
    count: number,
    dimensions: number | undefined,
): readonly Float32Array[] {
    const items = Array.isArray(answer.data) ? answer.data : [];
    if (items.length !== count) throw wrong(`${items.length} vectors for ${count} texts`);
    return Array.from({ length: count }, (_, text) => {
        const vector = items.find(({ index }) => index === text)?.embedding;
        if (!vector) throw wrong(`no vector of the index ${text}`);
        const length = Math.hypot(...vector);
        if (!Number.isFinite(length)) throw wrong("a vector that is not of numbers");
        if (length === 0) throw wrong("a vector without a direction");
        dimensions ??= vector.length;
        if (vector.length === dimensions) return Float32Array.from(vector, (one) => one / length);
        throw wrong(`a vector of ${vector.length} numbers where others have ${dimensions}`);
    });
}

const wrong = (what: string) =>
    new EmbeddingError(`The embeddings API returned ${what}`, DEFAULT_RETRY_SECONDS);

/** Ends work at its deadline: an attempt that went on would be one more than the limit of requests allows. */
async function withDeadline<T>(
    work: (signal: AbortSignal) => Promise<T>,
    milliseconds: number,
): Promise<T> {
    const ended = new AbortController();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
        timer = setTimeout(() => {
            const words = `The embeddings API did not respond within ${milliseconds / 1000} s`;
            reject(new EmbeddingError(words, DEFAULT_RETRY_SECONDS));
            ended.abort();
        }, milliseconds);
    });
    try {
        return await Promise.race([work(ended.signal), late]);
    } finally {
        clearTimeout(timer);
    }
}

function toEmbeddingError(error: unknown, apiKey: string): EmbeddingError {
    if (error instanceof EmbeddingError) return error;
    const api = error instanceof APIError ? (error as APIError) : undefined;
    const after = Number(api?.headers?.get("retry-after") ?? NaN);
    const seconds = after > 0 ? Math.min(Math.ceil(after), MAX_RETRY_SECONDS) : undefined;
    return new EmbeddingError(
        `The embeddings API failed: ${reasonOf(error, apiKey)}`,
        seconds ?? DEFAULT_RETRY_SECONDS,
    );
}
