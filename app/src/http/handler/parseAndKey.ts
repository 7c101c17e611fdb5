import { nextBulkTurn } from "../../bulkTurn.ts";
import type { Item } from "../../cache/item.ts";
import type { Input } from "../../input.ts";
import type { KeyOf } from "../../key/key.ts";
import { createMemo } from "./memo.ts";
import type { EmbeddingRequest } from "../protocol/embeddingRequest.ts";

/** A request with the keys of its items. */
export interface RequestWithKeys {
    readonly request: EmbeddingRequest;
    readonly items: readonly Item[];
}

/** Derives the keys of a request with many items, whose memory the caller reserves first, because it waits for turns. */
export type DeriveLater = () => Promise<RequestWithKeys>;

/** @throws HttpError */
export type ParseAndKey = (body: Buffer, keyOf: KeyOf) => RequestWithKeys | DeriveLater;

interface MemoisedRequest extends RequestWithKeys {
    readonly keyOf: KeyOf;
}

/** Size of each of two generations: at most 32 MiB per route. */
const MEMO_BYTES = 16 * 1024 * 1024;
/** 0.15 ms for short texts, several times as long while the code is cold. */
const MAX_KEYS_IN_TURN = 256;
/** Measured sizes of a request's objects, and of each item with its key. */
const REQUEST_BYTES = 600;
const ITEM_BYTES = 300;
const BYTES_PER_CHARACTER = 2;
const BYTES_PER_TOKEN_ID = 8;

/**
 * Parses bodies, derives keys and memoises both: clients repeat identical bytes, parsing is a pure function
 * of them, and the keys are valid as long as `keyOf` is the same.
 */
export function createParseAndKey(parse: (body: Buffer) => EmbeddingRequest): ParseAndKey {
    const memo = createMemo<MemoisedRequest>(MEMO_BYTES, bytesOf);

    return (body, keyOf) => {
        const text = textOf(body);
        const known = memo.get(text);
        if (known?.keyOf === keyOf) return known;
        const request = known?.request ?? parse(body);
        const remember = (items: readonly Item[]): RequestWithKeys => {
            const fresh = { request, keyOf, items };
            memo.set(text, fresh);
            return fresh;
        };
        const { inputs } = request;
        return inputs.length > MAX_KEYS_IN_TURN
            ? async () => remember(await deriveInTurns(request, keyOf))
            : remember(inputs.map((input) => toItem(input, request, keyOf)));
    };
}

async function deriveInTurns(request: EmbeddingRequest, keyOf: KeyOf): Promise<readonly Item[]> {
    const items: Item[] = [];
    for (const input of request.inputs) {
        if (items.length % MAX_KEYS_IN_TURN === 0) await nextBulkTurn();
        items.push(toItem(input, request, keyOf));
    }
    return items;
}

function toItem(input: Input, { dimensions }: EmbeddingRequest, keyOf: KeyOf): Item {
    return { key: keyOf(input, dimensions), input };
}

/** One character per byte: different bodies have different texts. */
function textOf(body: Buffer): string {
    return body.toString("latin1");
}

function bytesOf(body: string, { request, items }: RequestWithKeys): number {
    let bytes = REQUEST_BYTES + body.length;
    bytes += (request.user?.length ?? 0) * BYTES_PER_CHARACTER;
    for (const { input } of items) {
        bytes += ITEM_BYTES;
        bytes +=
            input.kind === "text"
                ? input.text.length * BYTES_PER_CHARACTER
                : input.ids.length * BYTES_PER_TOKEN_ID;
    }
    return bytes;
}
