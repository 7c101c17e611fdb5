import { embeddingOf, vectorFault, type Embedding } from "../../vector/embedding.ts";
import { vectorFromBytes } from "../../vector/entry.ts";
import { UpstreamError } from "../upstream.ts";

/**
 * Reads an answer of `POST /embeddings` for `weights.length` inputs; `data` is put in order by its
 * `index`, vectors may be base64 or numbers.
 *
 * @param weights of the inputs, by which the call's tokens are told apart
 * @throws UpstreamError for an answer with anything missing, doubled or unsound: half of a batch is
 * no answer, since nobody knows which half.
 */
export function readAnswer(
    body: unknown,
    weights: readonly number[],
    dimensions: number | undefined,
): readonly Embedding[] {
    const answer = asObject(body, "the answer");
    const data = answer.data;
    if (!Array.isArray(data)) throw bad("it has no data");
    if (data.length !== weights.length) {
        throw bad(`it has ${data.length} vectors for ${weights.length} inputs`);
    }
    const vectors: Float32Array<ArrayBuffer>[] = [];
    for (const item of data as unknown[]) {
        const { index, embedding } = asObject(item, "an item");
        if (typeof index !== "number" || !(index in weights) || index in vectors) {
            throw bad(`an item has the index ${String(index)}`);
        }
        const vector = readVector(embedding);
        const fault = vectorFault(vector, dimensions ?? vectors[0]?.length);
        if (fault !== undefined) throw bad(`vector ${index} cannot be used: ${fault}`);
        vectors[index] = vector;
    }
    const tokens = divide(readTokens(answer.usage), weights);
    return vectors.map((vector, index) => embeddingOf(vector, tokens[index] ?? 0, false));
}

/**
 * Divides the tokens of a call over its inputs by weight; the parts are whole and sum to the total
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

function readVector(embedding: unknown): Float32Array<ArrayBuffer> {
    if (typeof embedding === "string") return vectorFromBytes(Buffer.from(embedding, "base64"));
    if (!Array.isArray(embedding)) throw bad("an item has no embedding");
    // A missing number must not become 0: Number(null) would.
    return Float32Array.from(embedding as unknown[], (value) =>
        typeof value === "number" ? value : NaN,
    );
}

function readTokens(usage: unknown): number {
    if (typeof usage !== "object" || usage === null) return 0;
    const { prompt_tokens: tokens } = usage as Record<string, unknown>;
    return typeof tokens === "number" && Number.isSafeInteger(tokens) && tokens >= 0 ? tokens : 0;
}

function asObject(value: unknown, what: string): Record<string, unknown> {
    if (typeof value === "object" && value !== null) return value as Record<string, unknown>;
    throw bad(`${what} is not an object`);
}

function bad(reason: string): UpstreamError {
    return new UpstreamError(
        503,
        "bad_upstream_answer",
        `The upstream's answer is wrong: ${reason}`,
    );
}
