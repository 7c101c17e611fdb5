import { isPlausible, isUnit } from "../../vector/cosine.ts";
import { vectorError } from "../../vector/embedding.ts";
import { vectorFromBytes } from "../../vector/entry.ts";
import { UpstreamError } from "../upstream.ts";

/** Parsed response of an API, in the order of the inputs. */
export interface ParsedResponse {
    /** All of the same length, finite and not zero. */
    readonly vectors: readonly Float32Array<ArrayBuffer>[];
    /** Undefined if the API does not report it. */
    readonly tokens: number | undefined;
    /** None of the vectors was base64. */
    readonly areNumbers: boolean;
    /** All vectors are of unit length. */
    readonly areUnit: boolean;
    readonly arePlausible: boolean;
}

/**
 * Parses a response of `POST /embeddings`. `data` is sorted by `index`; vectors may be base64 or numbers. An
 * item without an index has the one of its position (Gemini omits 0, other APIs omit all).
 *
 * @throws UpstreamError if anything is missing, duplicated or invalid: part of a batch is not usable, because
 * the assignment is unknown
 */
export function parseResponse(json: Buffer, count: number): ParsedResponse {
    const body = requireObject(parse(json), "the response");
    const data = body.data;
    if (!Array.isArray(data)) throw invalidResponseError("it has no data");
    if (data.length !== count)
        throw invalidResponseError(`it has ${data.length} vectors for ${count} inputs`);
    const items = (data as unknown[]).map((item) => requireObject(item, "an item"));
    // APIs that always send 0 do not maintain the field, but keep the order.
    const areIndexesSet = !items.every(({ index }) => index === 0);
    const vectors: Float32Array<ArrayBuffer>[] = [];
    let length: number | undefined;
    for (const [place, item] of items.entries()) {
        const index = areIndexesSet ? (item.index ?? place) : place;
        if (typeof index !== "number" || !(index in items) || index in vectors) {
            throw invalidResponseError(`an item has the index ${describeIndex(index)}`);
        }
        const vector = parseVector(item.embedding);
        const error = vectorError(vector, length);
        if (error !== undefined) throw invalidResponseError(`vector ${index} is invalid: ${error}`);
        vectors[index] = vector;
        length = vector.length;
    }
    const areNumbers = items.every(({ embedding }) => typeof embedding !== "string");
    const areUnit = vectors.every(isUnit);
    return {
        vectors,
        tokens: parseTokens(body.usage),
        areNumbers,
        areUnit,
        // Unit length is plausible, so nearly all responses need no second pass.
        arePlausible: areUnit || vectors.every(isPlausible),
    };
}

export function invalidResponseError(reason: string): UpstreamError {
    return new UpstreamError(
        503,
        "bad_upstream_response",
        `The upstream's response is invalid: ${reason}`,
    );
}

function parse(json: Buffer): unknown {
    try {
        return JSON.parse(json.toString("utf8"));
    } catch {
        throw invalidResponseError("it is not JSON");
    }
}

function parseVector(embedding: unknown): Float32Array<ArrayBuffer> {
    if (typeof embedding === "string") return parseBase64(embedding);
    if (!Array.isArray(embedding)) throw invalidResponseError("an item has no embedding");
    // A missing number must not become 0, as Number(null) would.
    return Float32Array.from(embedding as unknown[], (value) =>
        typeof value === "number" ? value : NaN,
    );
}

/**
 * Node skips invalid characters: a list in a string, or half a vector, would be decoded as another vector.
 */
function parseBase64(text: string): Float32Array<ArrayBuffer> {
    const bytes = Buffer.from(text, "base64");
    // Skipped characters show as missing bytes; a regular expression would take ten times as long.
    const digits = text.length - (text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0);
    const isOtherAlphabet = text.includes("-") || text.includes("_");
    if (digits === 0 || isOtherAlphabet || bytes.length !== Math.floor((digits * 3) / 4))
        throw invalidResponseError("an item has an embedding that is not base64");
    if (bytes.length % Float32Array.BYTES_PER_ELEMENT !== 0) {
        throw invalidResponseError(`an item has an embedding of ${bytes.length} bytes`);
    }
    // Larger buffers have their own memory, which needs no copy.
    return bytes.buffer instanceof ArrayBuffer && bytes.buffer.byteLength === bytes.length
        ? new Float32Array(bytes.buffer)
        : vectorFromBytes(bytes);
}

/** Long or nested values are not repeated. */
function describeIndex(index: unknown): string {
    if (typeof index === "number") return String(index);
    if (typeof index === "string") return JSON.stringify(index.slice(0, 32));
    return `(of type ${typeof index})`;
}

/** Voyage reports `total_tokens` only. No API reads a text for free, so 0 means not reported. */
function parseTokens(usage: unknown): number | undefined {
    if (typeof usage !== "object" || usage === null) return undefined;
    const { prompt_tokens: prompt, total_tokens: total } = usage as Record<string, unknown>;
    return [prompt, total].find(
        (tokens): tokens is number => Number.isSafeInteger(tokens) && Number(tokens) > 0,
    );
}

function requireObject(value: unknown, what: string): Record<string, unknown> {
    if (typeof value === "object" && value !== null) return value as Record<string, unknown>;
    throw invalidResponseError(`${what} is not an object`);
}
