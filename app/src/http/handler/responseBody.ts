import { setImmediate as nextTurn } from "node:timers/promises";

import { CACHE_STATUSES } from "@property-search/contract";

import type { Resolved } from "../../cache/item.ts";
import type { Account } from "../../cache/responseTotals.ts";
import { shorten, type Embedding } from "../../vector/embedding.ts";
import { littleEndianBytes } from "../../vector/entry.ts";
import { floatsJson } from "../../vector/json.ts";
import type { Body } from "../protocol/exchange.ts";
import type { EmbeddingRequest, Encoding } from "../protocol/embeddingRequest.ts";

/** Formats the response bodies of both routes; all of them contain the model's name. */
export interface Answers {
    readonly openai: Render;
    readonly embed: Render;
}

export type Render = (
    request: EmbeddingRequest,
    resolved: readonly Resolved[],
    account: Account,
) => Body;

/** Maximum number of items of a request. Token counts above this are rare. */
const MAX_KEPT = 2_048;
const TURN_MILLISECONDS = 2;

const ONE = bytesOf('{"embedding":');
const SEVERAL = bytesOf('{"embeddings":[');
const COMMA = bytesOf(",");
const QUOTE = 0x22;

export function answers(model: string): Answers {
    const modelName = ascii(JSON.stringify(model));
    const first = bytesOf('{"object":"list","data":[{"object":"embedding","index":0,"embedding":');
    const next = byNumber((index) => `},{"object":"embedding","index":${index},"embedding":`);
    const end = (missed: number, saved: number): string =>
        `}],"model":${modelName},"usage":${usage(missed + saved, saved)}}`;
    const endOfHits = byNumber((tokens) => end(0, tokens));

    return {
        openai: ({ encoding }, resolved, { missedTokens, savedTokens }) => {
            const body: Buffer[] = [];
            resolved.forEach(({ embedding }, index) => {
                body.push(index === 0 ? first : next(index), vectorJson(embedding, encoding));
            });
            body.push(
                missedTokens === 0
                    ? endOfHits(savedTokens)
                    : bytesOf(end(missedTokens, savedTokens)),
            );
            return body;
        },
        embed: ({ single }, resolved, { missedTokens, savedTokens }) => {
            const body: Buffer[] = [];
            resolved.forEach(({ embedding }, index) => {
                body.push(
                    index > 0 ? COMMA : single ? ONE : SEVERAL,
                    vectorJson(embedding, "float"),
                );
            });
            body.push(
                bytesOf(
                    `${single ? "" : "]"},"model":${modelName},` +
                        `"dimensions":${resolved[0]?.embedding.vector.length ?? 0},` +
                        `"cache":${each(resolved, single, ({ status }) => status)},` +
                        `"truncated":${each(resolved, single, ({ embedding }) => embedding.truncated)},` +
                        `"usage":${usage(missedTokens + savedTokens, savedTokens)}}`,
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
export function numbersToWrite(
    resolved: readonly Resolved[],
    { encoding, shortenTo }: Form,
): number {
    let numbers = 0;
    for (const { embedding } of resolved) {
        const { vector, forms } = embedding;
        const isWhole = shortenTo === undefined || shortenTo >= vector.length;
        const written = isWhole ? forms : forms.shorter?.get(shortenTo)?.forms;
        if (written?.[encoding] === undefined) numbers += isWhole ? vector.length : shortenTo;
    }
    return encoding === "base64" ? numbers / 10 : numbers;
}

/** Shortens and formats the vectors of a response, yielding to the event loop in between. */
export async function writeVectors(
    resolved: readonly Resolved[],
    { encoding, shortenTo }: Form,
): Promise<readonly Resolved[]> {
    const written: Resolved[] = [];
    let turn = performance.now();
    for (const whole of resolved) {
        const one = shortenTo === undefined ? whole : shortenResolved(whole, shortenTo);
        vectorJson(one.embedding, encoding);
        written.push(one);
        if (performance.now() - turn < TURN_MILLISECONDS) continue;
        await nextTurn();
        turn = performance.now();
    }
    return written;
}

export function shortenResolved({ embedding, status }: Resolved, dimensions: number): Resolved {
    return { embedding: shorten(embedding, dimensions), status };
}

/** The vector as JSON, cached with the embedding: a hit needs neither serialisation nor a copy. */
function vectorJson({ vector, forms }: Embedding, encoding: Encoding): Buffer {
    return (forms[encoding] ??= encoding === "base64" ? base64Json(vector) : floatsJson(vector));
}

/** Without a string of the whole literal, which would be as much garbage again. */
function base64Json(vector: Float32Array): Buffer {
    const base64 = littleEndianBytes(vector).toString("base64");
    const json = Buffer.allocUnsafeSlow(base64.length + 2);
    json[0] = QUOTE;
    json.write(base64, 1, "latin1");
    json[json.length - 1] = QUOTE;
    return json;
}

/** Unpooled memory: a cached slice of Node's buffer pool would retain the whole slab. */
function bytesOf(text: string): Buffer {
    const bytes = Buffer.allocUnsafeSlow(text.length);
    bytes.write(text, "latin1");
    return bytes;
}

/** Caches pieces that differ only by a small number. */
function byNumber(text: (number: number) => string): (number: number) => Buffer {
    const made: Buffer[] = [];
    return (number) =>
        number < MAX_KEPT ? (made[number] ??= bytesOf(text(number))) : bytesOf(text(number));
}

/** Escapes all characters outside ASCII, as JSON allows. */
function ascii(json: string): string {
    return json.replace(
        /[^\x20-\x7e]/g,
        (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
    );
}

/** Value of the x-cache header: each status once, best first. */
export function cacheHeader({ items, slowest }: Account, count: number): string {
    if (items[slowest] === count) return slowest;
    return CACHE_STATUSES.filter((status) => items[status] > 0).join(", ");
}

function each(
    resolved: readonly Resolved[],
    single: boolean,
    pick: (resolved: Resolved) => unknown,
): string {
    const values = resolved.map(pick);
    return JSON.stringify(single ? values[0] : values);
}

/** OpenAI's `usage` with details of cached tokens; the difference is billed. */
function usage(tokens: number, cached: number): string {
    return (
        `{"prompt_tokens":${tokens},"total_tokens":${tokens},` +
        `"prompt_tokens_details":{"cached_tokens":${cached}}}`
    );
}
