import { CACHE_STATUSES } from "@property-search/contract";

import type { Resolved } from "../cache/item.ts";
import type { Account } from "../ledger/account.ts";
import type { Embedding } from "../vector/embedding.ts";
import { littleEndianBytes } from "../vector/entry.ts";
import type { EmbeddingRequest, Encoding } from "./request.ts";

/** A whole body; a string holds ASCII only, so that it is as many bytes as characters. */
export type Body = string | Buffer;

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

const FIRST = '{"object":"list","data":[{"object":"embedding","index":0,"embedding":';
/** Up to here, head and body leave as one string in one system call and without an allocation. */
const MAX_STRING = 15_000;

export function answers(model: string): Answers {
    const modelName = ascii(JSON.stringify(model));
    const end = `}],"model":${modelName},"usage":`;

    /**
     * The whole answer to a request for this one item out of a cache, made once: then a hit costs no
     * serialising at all. Other answers cut the vector's JSON out of it.
     */
    function ready(embedding: Embedding, encoding: Encoding): Body {
        const { forms, tokens } = embedding;
        return (forms[encoding] ??= body([
            FIRST,
            vectorJson(embedding, encoding),
            `${end}${usage(tokens, tokens)}}`,
        ]));
    }

    function vectorPart(embedding: Embedding, encoding: Encoding): Body {
        const { tokens } = embedding;
        const whole = ready(embedding, encoding);
        const stop = whole.length - end.length - usage(tokens, tokens).length - 1;
        return typeof whole === "string"
            ? whole.slice(FIRST.length, stop)
            : whole.subarray(FIRST.length, stop);
    }

    return {
        openai: ({ encoding }, resolved, account) => {
            const [only, second] = resolved;
            if (only && !second && only.status !== "MISS") return ready(only.embedding, encoding);
            const parts: Body[] = [];
            resolved.forEach(({ embedding }, index) => {
                parts.push(
                    index === 0 ? FIRST : `},{"object":"embedding","index":${index},"embedding":`,
                    vectorPart(embedding, encoding),
                );
            });
            parts.push(`${end}${accountUsage(account)}}`);
            return body(parts);
        },
        embed: ({ single }, resolved, account) => {
            const [first] = resolved;
            const rest =
                `,"model":${modelName},"dimensions":${first?.embedding.vector.length ?? 0},` +
                `"cache":${each(resolved, single, ({ status }) => status)},` +
                `"truncated":${each(resolved, single, ({ embedding }) => embedding.truncated)},` +
                `"usage":${accountUsage(account)}}`;
            if (single && first) {
                return body(['{"embedding":', vectorPart(first.embedding, "float"), rest]);
            }
            const parts: Body[] = ['{"embeddings":['];
            resolved.forEach(({ embedding }, index) => {
                if (index > 0) parts.push(",");
                parts.push(vectorPart(embedding, "float"));
            });
            parts.push(`]${rest}`);
            return body(parts);
        },
    };
}

/** One piece, because every further piece is a further write. */
function body(parts: readonly Body[]): Body {
    let length = 0;
    for (const part of parts) length += part.length;
    const bytes = Buffer.allocUnsafeSlow(length);
    let at = 0;
    for (const part of parts) {
        if (typeof part === "string") bytes.write(part, at, "latin1");
        else bytes.set(part, at);
        at += part.length;
    }
    return length > MAX_STRING ? bytes : bytes.toString("latin1");
}

/** JSON may spell every character in ASCII. */
function ascii(json: string): string {
    return json.replace(
        /[^\x20-\x7e]/g,
        (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`,
    );
}

/** Value of the x-cache header: each kind once, best first. */
export function cacheHeader({ items, slowest }: Account, count: number): string {
    if (items[slowest] === count) return slowest;
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

function accountUsage({ missedTokens, savedTokens }: Account): string {
    return usage(missedTokens + savedTokens, savedTokens);
}

/** OpenAI's usage with its details for cached tokens: what is billed is the difference. */
function usage(tokens: number, cached: number): string {
    return (
        `{"prompt_tokens":${tokens},"total_tokens":${tokens},` +
        `"prompt_tokens_details":{"cached_tokens":${cached}}}`
    );
}
