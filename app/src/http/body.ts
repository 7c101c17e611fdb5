import { discard } from "../discard.ts";
import { bodyMemory, SEGMENT_BYTES } from "./bodyMemory.ts";
import type { ByteBudget, ByteHold } from "./byteBudget.ts";
import { HttpError } from "./error.ts";
import type { HttpRequest } from "./exchange.ts";

/** 2,048 long listings fit; what is larger is refused before it is in memory. */
export const MAX_BODY_BYTES = 8 * 1024 * 1024;
/** Of all bodies together, from their first byte until they are answered. */
export const MAX_BYTES_OF_ALL_BODIES = 8 * MAX_BODY_BYTES;
/** Of the worst content with both foldings, this much takes the event loop some 25 ms. */
export const MAX_BYTES_IN_TURN = 64 * 1024;
const SMALLEST_BUFFER_BYTES = 4 * 1024;

const memory = bodyMemory();

/** A body that would take the event loop too long. */
export interface LargeBody {
    /** Full but for the last one. */
    readonly segments: readonly Buffer[];
    readonly length: number;
}

export interface BodyReader {
    /** @param hold of its bytes, which the reader now has to release; then they are another body's */
    readonly done: (body: Buffer | LargeBody, hold: ByteHold) => void;
    readonly fail: (error: HttpError) => void;
    /** The client left in the middle of its body: nobody waits for an answer. */
    readonly gone: () => void;
}

const NOTHING = Buffer.alloc(0);

/** Reads a whole body; a small one arrives in one piece and is handed on as it is. */
export function readBody(
    request: HttpRequest,
    budget: ByteBudget,
    { done, fail, gone }: BodyReader,
): void {
    /** All of a body that is not large. */
    let buffer: Buffer = NOTHING;
    const segments: Buffer[] = [];
    let bytes = 0;
    let refused = false;
    const hold = budget.open(() => refuse(overloaded()));
    request.readInto({
        chunk: (chunk) => {
            // The rest is read and thrown away: a client that is still sending would not see the answer.
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

    /** The first chunk is kept as it is. Chunks may be of one byte each: a list would take a hundred times as much. */
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

    /** @returns whether the body is still read */
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
    const message = "The service holds too many large requests; try again later";
    const details = { type: "server_error", code: "overloaded", retryAfterSeconds: 1 } as const;
    return new HttpError(503, message, details);
}
