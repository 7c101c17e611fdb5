import { freeBuffer } from "../../memory/freeBuffer.ts";
import { createSegmentPool, SEGMENT_BYTES } from "./segmentPool.ts";
import { getHeader } from "../headers.ts";
import type { ByteBudget, ByteReservation } from "../../memory/byteBudget.ts";
import { HttpError } from "./error.ts";
import type { HttpRequest } from "./exchange.ts";

/** Fits 2,048 long listings; larger bodies are rejected before they are buffered. */
export const MAX_BODY_BYTES = 8 * 1024 * 1024;
/** Total of all bodies, from their first byte until their response. */
export const MAX_BYTES_OF_ALL_BODIES = 8 * MAX_BODY_BYTES;
/** The worst content of this size, with both foldings, takes the event loop about 25 ms. */
export const MAX_BYTES_PER_TURN = 64 * 1024;
const SMALLEST_BUFFER_BYTES = 4 * 1024;

const segmentPool = createSegmentPool();

/** A body that would block the event loop for too long. */
export interface LargeBody {
    /** Full, except the last one. */
    readonly segments: readonly Buffer[];
    readonly length: number;
}

export interface BodyHandlers {
    /** @param reservation of the bytes, which the callee must release; the memory is reused afterwards */
    readonly onBody: (body: Buffer | LargeBody, reservation: ByteReservation) => void;
    readonly onError: (error: HttpError) => void;
    /** The client disconnected before the end of the body; no response is needed. */
    readonly onAborted: () => void;
}

export interface BodyOptions {
    /** Its bodies together have at most a share of the budget. */
    readonly tenant: string;
    /** A body that declares more is rejected before it is read, any other one once it has more. */
    readonly maxBytes?: number;
}

const NOTHING = Buffer.alloc(0);

/** Reads a whole body. A small body that arrives in one chunk is passed on without a copy. */
export function readBody(
    request: HttpRequest,
    budget: ByteBudget,
    { onBody, onError, onAborted }: BodyHandlers,
    { tenant, maxBytes = MAX_BODY_BYTES }: BodyOptions,
): void {
    /** The whole body, if it is small. */
    let buffer: Buffer = NOTHING;
    const segments: Buffer[] = [];
    let bytes = 0;
    let isRejected = false;
    const reservation = budget.reserve(() => reject(overloadedError()), tenant);
    if (Number(getHeader(request.rawHeaders, "content-length") ?? 0) > maxBytes)
        reject(bodyTooLargeError(maxBytes));
    request.readInto({
        onChunk: (chunk) => {
            // The rest is read and dropped: a client that is still sending would not see the response.
            if (isRejected) freeBuffer(chunk);
            else if (bytes + chunk.length > maxBytes) reject(bodyTooLargeError(maxBytes));
            else if (bytes + chunk.length <= MAX_BYTES_PER_TURN) append(chunk);
            else {
                if (bytes > 0 && segments.length === 0) moveToSegments();
                appendToSegments(chunk);
            }
        },
        onEnd: () => {
            if (isRejected) return;
            reservation.pin();
            const body =
                segments.length > 0 ? { segments, length: bytes } : buffer.subarray(0, bytes);
            onBody(body, { ...reservation, release });
        },
        onAborted: () => {
            release();
            if (!isRejected) onAborted();
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
                freeBuffer(buffer);
                buffer = grown;
            }
            chunk.copy(buffer, bytes);
            freeBuffer(chunk);
        }
        bytes = sum;
    }

    function moveToSegments(): void {
        const received = buffer.subarray(0, bytes);
        const capacity = buffer.length;
        bytes = 0;
        appendToSegments(received);
        reservation.grow(-capacity);
        freeBuffer(buffer);
        buffer = NOTHING;
    }

    function appendToSegments(chunk: Buffer): void {
        for (let from = 0; from < chunk.length && !isRejected;) {
            const at = bytes % SEGMENT_BYTES;
            if (at === 0) {
                if (!grow(SEGMENT_BYTES)) break;
                segments.push(segmentPool.acquire());
            }
            const copied = chunk.copy(segments.at(-1) ?? NOTHING, at, from);
            from += copied;
            bytes += copied;
        }
        freeBuffer(chunk);
    }

    /** @returns whether the body is still accepted */
    function grow(more: number): boolean {
        if (!reservation.grow(more) && !isRejected) reject(overloadedError());
        return !isRejected;
    }

    function reject(error: HttpError): void {
        isRejected = true;
        release();
        onError(error);
    }

    function release(): void {
        reservation.release();
        for (const segment of segments.splice(0)) segmentPool.release(segment);
        buffer = NOTHING;
    }
}

export function bodyTooLargeError(maxBytes: number): HttpError {
    return new HttpError(413, `The body is larger than ${maxBytes} bytes`);
}

export function overloadedError(): HttpError {
    const message = "Too many large requests are in progress; retry later";
    const details = { type: "server_error", code: "overloaded", retryAfterSeconds: 1 } as const;
    return new HttpError(503, message, details);
}
