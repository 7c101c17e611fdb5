import { isPlausible, isUnit } from "../../vector/cosine.ts";
import { vectorError } from "../../vector/embedding.ts";
import { vectorFromBytes } from "../../vector/entry.ts";
import { UpstreamError } from "../upstream.ts";

/** Parsed response of an API, in the order of the inputs. */
export interface Answer {
    /** All of the same length, finite and not zero. */
    readonly vectors: readonly Float32Array<ArrayBuffer>[];
    /** Undefined if the API does not report it. */
    readonly tokens: number | undefined;
    /** None of the vectors was base64. */
    readonly isNumbers: boolean;
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
export function readAnswer(json: Buffer, count: number): Answer {
    const answer = asObject(parse(json), "the response");
    const data = answer.data;
    if (!Array.isArray(data)) throw bad("it has no data");
    if (data.length !== count) throw bad(`it has ${data.length} vectors for ${count} inputs`);
    const items = (data as unknown[]).map((item) => asObject(item, "an item"));
    // APIs that always send 0 do not maintain the field, but keep the order.
    const isMeant = !items.every(({ index }) => index === 0);
    const vectors: Float32Array<ArrayBuffer>[] = [];
    let length: number | undefined;
    for (const [place, item] of items.entries()) {
        const index = isMeant ? (item.index ?? place) : place;
        if (typeof index !== "number" || !(index in items) || index in vectors) {
            throw bad(`an item has the index ${saidOf(index)}`);
        }
        const vector = readVector(item.embedding);
        const fault = vectorError(vector, length);
        if (fault !== undefined) throw bad(`vector ${index} is invalid: ${fault}`);
        vectors[index] = vector;
        length = vector.length;
    }
    const isNumbers = items.every(({ embedding }) => typeof embedding !== "string");
    const areUnit = vectors.every(isUnit);
    return {
        vectors,
        tokens: readTokens(answer.usage),
        isNumbers,
        areUnit,
        // Unit length is plausible, so nearly all responses need no second pass.
        arePlausible: areUnit || vectors.every(isPlausible),
    };
}

/**
 * Distributes the tokens of a call over its inputs by weight. The parts are integers that sum to the total
 * exactly (largest remainder), so that the ledger agrees with the provider's bill.
 */
export function divide(total: number, weights: readonly number[]): readonly number[] {
    const sum = weights.reduce((a, b) => a + b, 0);
    const shares = weights.map((weight) => (sum === 0 ? 0 : (total * weight) / sum));
    const parts = shares.map(Math.floor);
    const byRemainder = shares
        .map((share, index) => ({ index, remainder: share - Math.floor(share) }))
        .sort((a, b) => b.remainder - a.remainder);
    let left = total - parts.reduce((a, b) => a + b, 0);
    for (const { index } of byRemainder) {
        if (left <= 0) break;
        parts[index] = (parts[index] ?? 0) + 1;
        left -= 1;
    }
    return parts;
}

export function bad(reason: string): UpstreamError {
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
        throw bad("it is not JSON");
    }
}

function readVector(embedding: unknown): Float32Array<ArrayBuffer> {
    if (typeof embedding === "string") return readBase64(embedding);
    if (!Array.isArray(embedding)) throw bad("an item has no embedding");
    // A missing number must not become 0, as Number(null) would.
    return Float32Array.from(embedding as unknown[], (value) =>
        typeof value === "number" ? value : NaN,
    );
}

/**
 * Node skips invalid characters: a list in a string, or half a vector, would be decoded as another vector.
 */
function readBase64(text: string): Float32Array<ArrayBuffer> {
    const bytes = Buffer.from(text, "base64");
    // Skipped characters show as missing bytes; a regular expression would take ten times as long.
    const digits = text.length - (text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0);
    const isOtherAlphabet = text.includes("-") || text.includes("_");
    if (digits === 0 || isOtherAlphabet || bytes.length !== Math.floor((digits * 3) / 4))
        throw bad("an item has an embedding that is not base64");
    if (bytes.length % Float32Array.BYTES_PER_ELEMENT !== 0) {
        throw bad(`an item has an embedding of ${bytes.length} bytes`);
    }
    // Larger buffers have their own memory, which needs no copy.
    return bytes.buffer instanceof ArrayBuffer && bytes.buffer.byteLength === bytes.length
        ? new Float32Array(bytes.buffer)
        : vectorFromBytes(bytes);
}

/** Long or nested values are not repeated. */
function saidOf(index: unknown): string {
    if (typeof index === "number") return String(index);
    if (typeof index === "string") return JSON.stringify(index.slice(0, 32));
    return `(of type ${typeof index})`;
}

/** Voyage reports `total_tokens` only. No API reads a text for free, so 0 means not reported. */
function readTokens(usage: unknown): number | undefined {
    if (typeof usage !== "object" || usage === null) return undefined;
    const { prompt_tokens: prompt, total_tokens: total } = usage as Record<string, unknown>;
    return [prompt, total].find(
        (tokens): tokens is number => Number.isSafeInteger(tokens) && Number(tokens) > 0,
    );
}

function asObject(value: unknown, what: string): Record<string, unknown> {
    if (typeof value === "object" && value !== null) return value as Record<string, unknown>;
    throw bad(`${what} is not an object`);
}
