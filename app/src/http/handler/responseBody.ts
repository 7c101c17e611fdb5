import { CACHE_STATUSES } from "@property-search/contract";

import { BULK_TURN_MILLISECONDS, nextBulkTurn } from "../../bulkTurn.ts";
import type { ResolvedItem } from "../../cache/item.ts";
import type { ResponseTotals } from "../../cache/responseTotals.ts";
import { shorten, type Embedding } from "../../vector/embedding.ts";
import { littleEndianBytes } from "../../vector/entry.ts";
import { formatFloats } from "../../vector/json.ts";
import type { Body } from "../protocol/exchange.ts";
import type { EmbeddingRequest, Encoding } from "../protocol/embeddingRequest.ts";

/** Formats the response bodies of both routes; all of them contain the model's name. */
export interface ResponseFormats {
    readonly openai: FormatResponse;
    readonly embed: FormatResponse;
}

export type FormatResponse = (
    request: EmbeddingRequest,
    resolved: readonly ResolvedItem[],
    account: ResponseTotals,
) => Body;

/** Maximum number of items of a request. Token counts above this are rare. */
const MAX_MEMOISED = 2_048;

const SINGLE_START = toBuffer('{"embedding":');
const LIST_START = toBuffer('{"embeddings":[');
const COMMA = toBuffer(",");
const QUOTE = 0x22;

export function createResponseFormats(model: string): ResponseFormats {
    const modelName = escapeNonAscii(JSON.stringify(model));
    const first = toBuffer('{"object":"list","data":[{"object":"embedding","index":0,"embedding":');
    const next = memoiseByNumber(
        (index) => `},{"object":"embedding","index":${index},"embedding":`,
    );
    const end = (missed: number, saved: number): string =>
        `}],"model":${modelName},"usage":${formatUsage(missed + saved, saved)}}`;
    const endOfHits = memoiseByNumber((tokens) => end(0, tokens));

    return {
        openai: ({ encoding }, resolved, { missedTokens, savedTokens }) => {
            const body: Buffer[] = [];
            resolved.forEach(({ embedding }, index) => {
                body.push(index === 0 ? first : next(index), vectorJson(embedding, encoding));
            });
            body.push(
                missedTokens === 0
                    ? endOfHits(savedTokens)
                    : toBuffer(end(missedTokens, savedTokens)),
            );
            return body;
        },
        embed: ({ isSingle }, resolved, { missedTokens, savedTokens }) => {
            const body: Buffer[] = [];
            resolved.forEach(({ embedding }, index) => {
                body.push(
                    index > 0 ? COMMA : isSingle ? SINGLE_START : LIST_START,
                    vectorJson(embedding, "float"),
                );
            });
            body.push(
                toBuffer(
                    `${isSingle ? "" : "]"},"model":${modelName},` +
                        `"dimensions":${resolved[0]?.embedding.vector.length ?? 0},` +
                        `"cache":${formatField(resolved, isSingle, ({ status }) => status)},` +
                        `"truncated":${formatField(resolved, isSingle, ({ embedding }) => embedding.truncated)},` +
                        `"usage":${formatUsage(missedTokens + savedTokens, savedTokens)}}`,
                ),
            );
            return body;
        },
    };
}

type Form = Pick<EmbeddingRequest, "encoding" | "shortenTo">;

/**
 * Counts the numbers that must still be shortened and formatted, weighted by cost: base64 takes a tenth of the
 * time. A number takes about 50 ns, so 2,048 vectors would block the event loop for a third of a second.
 */
export function countUnformattedNumbers(
    items: readonly ResolvedItem[],
    { encoding, shortenTo }: Form,
): number {
    let numbers = 0;
    for (const { embedding } of items) {
        const { vector, forms } = embedding;
        const isWhole = shortenTo === undefined || shortenTo >= vector.length;
        const formatted = isWhole ? forms : forms.shorter?.get(shortenTo)?.forms;
        if (formatted?.[encoding] === undefined) numbers += isWhole ? vector.length : shortenTo;
    }
    return encoding === "base64" ? numbers / 10 : numbers;
}

/** Shortens and formats the vectors of a response, yielding to the event loop in between. */
export async function formatVectors(
    items: readonly ResolvedItem[],
    { encoding, shortenTo }: Form,
): Promise<readonly ResolvedItem[]> {
    const formatted: ResolvedItem[] = [];
    let turnStart = performance.now();
    for (const whole of items) {
        const item = shortenTo === undefined ? whole : shortenItem(whole, shortenTo);
        vectorJson(item.embedding, encoding);
        formatted.push(item);
        if (performance.now() - turnStart < BULK_TURN_MILLISECONDS) continue;
        await nextBulkTurn();
        turnStart = performance.now();
    }
    return formatted;
}

export function shortenItem(item: ResolvedItem, dimensions: number): ResolvedItem {
    return { ...item, embedding: shorten(item.embedding, dimensions) };
}

/** The vector as JSON, cached with the embedding: a hit needs neither serialisation nor a copy. */
function vectorJson({ vector, forms }: Embedding, encoding: Encoding): Buffer {
    return (forms[encoding] ??=
        encoding === "base64" ? formatBase64(vector) : formatFloats(vector));
}

/** Without a string of the whole literal, which would be as much garbage again. */
function formatBase64(vector: Float32Array): Buffer {
    const base64 = littleEndianBytes(vector).toString("base64");
    const json = Buffer.allocUnsafeSlow(base64.length + 2);
    json[0] = QUOTE;
    json.write(base64, 1, "latin1");
    json[json.length - 1] = QUOTE;
    return json;
}

/** Unpooled memory: a cached slice of Node's buffer pool would retain the whole slab. */
function toBuffer(text: string): Buffer {
    const bytes = Buffer.allocUnsafeSlow(text.length);
    bytes.write(text, "latin1");
    return bytes;
}

/** Caches pieces that differ only by a small number. */
function memoiseByNumber(text: (number: number) => string): (number: number) => Buffer {
    const memoised: Buffer[] = [];
    return (number) =>
        number < MAX_MEMOISED
            ? (memoised[number] ??= toBuffer(text(number)))
            : toBuffer(text(number));
}

/** Escapes all characters outside ASCII, as JSON allows. */
function escapeNonAscii(json: string): string {
    return json.replace(
        /[^\x20-\x7e]/g,
        (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
    );
}

/** Value of the x-cache header: each status once, best first. */
export function formatCacheHeader({ items, slowest }: ResponseTotals, count: number): string {
    if (items[slowest] === count) return slowest;
    return CACHE_STATUSES.filter((status) => items[status] > 0).join(", ");
}

function formatField(
    resolved: readonly ResolvedItem[],
    single: boolean,
    pick: (resolved: ResolvedItem) => unknown,
): string {
    const values = resolved.map(pick);
    return JSON.stringify(single ? values[0] : values);
}

/** OpenAI's `usage` with details of cached tokens; the difference is billed. */
function formatUsage(tokens: number, cached: number): string {
    return (
        `{"prompt_tokens":${tokens},"total_tokens":${tokens},` +
        `"prompt_tokens_details":{"cached_tokens":${cached}}}`
    );
}
