import { discard } from "../../memory/freeBuffer.ts";
import { bodyMemory, SEGMENT_BYTES } from "./segmentPool.ts";
import type { ByteBudget, ByteHold } from "../../memory/byteBudget.ts";
import { HttpError } from "./error.ts";
import type { HttpRequest } from "./exchange.ts";

/** Fits 2,048 long listings; larger bodies are rejected before they are buffered. */
export const MAX_BODY_BYTES = 8 * 1024 * 1024;
/** Total of all bodies, from their first byte until their response. */
export const MAX_BYTES_OF_ALL_BODIES = 8 * MAX_BODY_BYTES;
/** The worst content of this size, with both foldings, takes the event loop about 25 ms. */
export const MAX_BYTES_IN_TURN = 64 * 1024;
const SMALLEST_BUFFER_BYTES = 4 * 1024;

const memory = bodyMemory();

/** A body that would block the event loop for too long. */
export interface LargeBody {
    /** Full, except the last one. */
    readonly segments: readonly Buffer[];
    readonly length: number;
}

export interface BodyReader {
    /** @param reservation of the bytes, which the callee must release; the memory is reused afterwards */
    readonly done: (body: Buffer | LargeBody, hold: ByteHold) => void;
    readonly fail: (error: HttpError) => void;
    /** The client disconnected before the end of the body; no response is needed. */
    readonly gone: () => void;
}

const NOTHING = Buffer.alloc(0);

/** Reads a whole body. A small body that arrives in one chunk is passed on without a copy. */
export function readBody(
    request: HttpRequest,
    budget: ByteBudget,
    { done, fail, gone }: BodyReader,
): void {
    /** The whole body, if it is small. */
    let buffer: Buffer = NOTHING;
    const segments: Buffer[] = [];
    let bytes = 0;
    let refused = false;
    const hold = budget.open(() => refuse(overloaded()));
    request.readInto({
        chunk: (chunk) => {
            // The rest is read and dropped: a client that is still sending would not see the response.
            if (refused) discard(chunk);
            else if (bytes + chunk.length > MAX_BODY_BYTES) refuse(bodyTooLarge());
            else if (bytes + chunk.length <= MAX_BYTES_IN_TURN) append(chunk);
            else {
                if (bytes > 0 && segments.length === 0) moveToSegments();
                appendToSegments(chunk);
            }
        },
        end: () => {
            if (refused) return;
            hold.keep();
            const body =
                segments.length > 0 ? { segments, length: bytes } : buffer.subarray(0, bytes);
            done(body, { ...hold, release });
        },
        gone: () => {
            release();
            if (!refused) gone();
        },
    });

    /**
     * The first chunk is kept as it is. Chunks may have one byte each; a list of them would take a hundred
     * times the memory.
     */
    function append(chunk: Buffer): void {
        const sum = bytes + chunk.length;
        if (bytes === 0) {
            if (!grow(sum)) return;
            buffer = chunk;
        } else {
            if (sum > buffer.length) {
                const capacity = Math.max(sum, 2 * buffer.length, SMALLEST_BUFFER_BYTES);
                if (!grow(capacity - buffer.length)) return;
                const grown = Buffer.allocUnsafeSlow(capacity);
                buffer.copy(grown, 0, 0, bytes);
                discard(buffer);
                buffer = grown;
            }
            chunk.copy(buffer, bytes);
            discard(chunk);
        }
        bytes = sum;
    }

    function moveToSegments(): void {
        const begun = buffer.subarray(0, bytes);
        const capacity = buffer.length;
        bytes = 0;
        appendToSegments(begun);
        hold.grow(-capacity);
        discard(buffer);
        buffer = NOTHING;
    }

    function appendToSegments(chunk: Buffer): void {
        for (let from = 0; from < chunk.length && !refused;) {
            const at = bytes % SEGMENT_BYTES;
            if (at === 0) {
                if (!grow(SEGMENT_BYTES)) break;
                segments.push(memory.take());
            }
            const copied = chunk.copy(segments.at(-1) ?? NOTHING, at, from);
            from += copied;
            bytes += copied;
        }
        discard(chunk);
    }

    /** @returns whether the body is still accepted */
    function grow(more: number): boolean {
        if (!hold.grow(more) && !refused) refuse(overloaded());
        return !refused;
    }

    function refuse(error: HttpError): void {
        refused = true;
        release();
        fail(error);
    }

    function release(): void {
        hold.release();
        for (const segment of segments.splice(0)) memory.giveBack(segment);
        buffer = NOTHING;
    }
}

export function bodyTooLarge(): HttpError {
    return new HttpError(413, `The body is larger than ${MAX_BODY_BYTES} bytes`);
}

export function overloaded(): HttpError {
    const message = "Too many large requests are in progress; retry later";
    const details = { type: "server_error", code: "overloaded", retryAfterSeconds: 1 } as const;
    return new HttpError(503, message, details);
}
