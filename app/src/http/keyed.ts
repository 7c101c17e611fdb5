import type { Item } from "../cache/item.ts";
import type { KeyOf } from "../key/key.ts";
import { memo } from "./memo.ts";
import type { EmbeddingRequest } from "./request.ts";

/** A request with the keys of its items. */
export interface KeyedRequest {
    readonly request: EmbeddingRequest;
    readonly items: readonly Item[];
}

export type ReadKeyed = (body: Buffer, keyOf: KeyOf) => KeyedRequest;

interface Known extends KeyedRequest {
    readonly keyOf: KeyOf;
}

/** Two generations of it, at one byte a character: at most 16 MiB a route. */
const MEMO_CHARACTERS = 8 * 1024 * 1024;

/**
 * Reads bodies and computes their keys, remembering both: clients ask for the same again in the same
 * bytes, reading is a pure function of them, and so are the keys for as long as `keyOf` is the same.
 */
export function keyedReader(parse: (body: Buffer) => EmbeddingRequest): ReadKeyed {
    const remembered = memo<Known>(MEMO_CHARACTERS);

    return (body, keyOf) => {
        // One character a byte: two bodies never share a text.
        const text = body.toString("latin1");
        const known = remembered.get(text);
        if (known?.keyOf === keyOf) return known;
        const request = known?.request ?? parse(body);
        const items = request.inputs.map((input) => ({
            key: keyOf(input, request.dimensions),
            input,
        }));
        const fresh = { request, keyOf, items };
        remembered.set(text, fresh);
        return fresh;
    };
}
