import { CACHE_STATUSES } from "@property-search/contract";

import type { Resolved } from "../cache/resolve.ts";
import type { Account } from "../ledger/ledger.ts";
import type { Embedding } from "../vector/embedding.ts";
import { littleEndianBytes } from "../vector/entry.ts";
import type { EmbeddingRequest, Encoding } from "./request.ts";

/** Parts of a body, sent one after the other without being copied together. */
export type Body = readonly Buffer[];

/** Writes the bodies of both routes; the model's name is the same in all of them. */
export interface Answers {
    readonly openai: Render;
    readonly embed: Render;
}

export type Render = (
    request: EmbeddingRequest,
    resolved: readonly Resolved[],
    account: Account,
) => Body;

const FIRST = Buffer.from('{"object":"list","data":[{"object":"embedding","index":0,"embedding":');
const COMMA = Buffer.from(",");

export function answers(model: string): Answers {
    const modelName = JSON.stringify(model);
    const end = `}],"model":${modelName},"usage":`;

    /**
     * The whole answer to a request for this one item out of a cache, made once: then a hit costs no
     * serialising at all. Other answers cut the vector's JSON out of it.
     */
    function ready(embedding: Embedding, encoding: Encoding): Buffer {
        const { forms, tokens } = embedding;
        return (forms[encoding] ??= Buffer.concat([
            FIRST,
            Buffer.from(vectorJson(embedding, encoding)),
            Buffer.from(`${end}${usage(tokens, tokens)}}`),
        ]));
    }

    function vectorPart(embedding: Embedding, encoding: Encoding): Buffer {
        const { tokens } = embedding;
        const endLength = Buffer.byteLength(end) + usage(tokens, tokens).length + 1;
        const whole = ready(embedding, encoding);
        return whole.subarray(FIRST.length, whole.length - endLength);
    }

    return {
        openai: ({ encoding }, resolved, account) => {
            const [only, second] = resolved;
            if (only && !second && only.status !== "MISS") {
                return [ready(only.embedding, encoding)];
            }
            const parts: Buffer[] = [];
            resolved.forEach(({ embedding }, index) => {
                parts.push(
                    index === 0
                        ? FIRST
                        : Buffer.from(`},{"object":"embedding","index":${index},"embedding":`),
                    vectorPart(embedding, encoding),
                );
            });
            parts.push(Buffer.from(`${end}${accountUsage(account)}}`));
            return parts;
        },
        embed: ({ single }, resolved, account) => {
            const [first] = resolved;
            const rest =
                `,"model":${modelName},"dimensions":${first?.embedding.vector.length ?? 0},` +
                `"cache":${each(resolved, single, ({ status }) => status)},` +
                `"truncated":${each(resolved, single, ({ embedding }) => embedding.truncated)},` +
                `"usage":${accountUsage(account)}}`;
            if (single && first) {
                const vector = vectorPart(first.embedding, "float");
                return [Buffer.from('{"embedding":'), vector, Buffer.from(rest)];
            }
            const parts: Buffer[] = [Buffer.from('{"embeddings":[')];
            resolved.forEach(({ embedding }, index) => {
                if (index > 0) parts.push(COMMA);
                parts.push(vectorPart(embedding, "float"));
            });
            parts.push(Buffer.from(`]${rest}`));
            return parts;
        },
    };
}

/** Value of the x-cache header: each kind once, best first. */
export function cacheHeader({ items }: Account): string {
    return CACHE_STATUSES.filter((status) => items[status] > 0).join(", ");
}

/** JSON numbers are written as the float32's exact double, so both encodings mean the same bits. */
function vectorJson({ vector }: Embedding, encoding: Encoding): string {
    return encoding === "base64"
        ? `"${littleEndianBytes(vector).toString("base64")}"`
        : JSON.stringify(Array.from(vector));
}

function each(
    resolved: readonly Resolved[],
    single: boolean,
    pick: (resolved: Resolved) => unknown,
): string {
    const values = resolved.map(pick);
    return JSON.stringify(single ? values[0] : values);
}

function accountUsage({ missedTokens, avoidedTokens }: Account): string {
    return usage(missedTokens + avoidedTokens, avoidedTokens);
}

/** OpenAI's usage with its details for cached tokens: what is billed is the difference. */
function usage(tokens: number, cached: number): string {
    return (
        `{"prompt_tokens":${tokens},"total_tokens":${tokens},` +
        `"prompt_tokens_details":{"cached_tokens":${cached}}}`
    );
}
