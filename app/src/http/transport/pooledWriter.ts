import type { Socket } from "node:net";

import type { Body } from "../protocol/exchange.ts";

/**
 * Copying pieces into one buffer is cheaper than passing each to Node's streams and the kernel. The size is
 * one segment of the loopback interface (65,535 bytes less the headers); one more byte would need a second
 * segment.
 */
export const BUFFER_BYTES = 65_483;
/** Then the connection yields: a fast reader would otherwise delay all other clients for seconds. */
const BUFFERS_PER_TURN = 4;
const MAX_POOLED_BUFFERS = 256;

const bufferPool: Buffer[] = [];
const NOTHING = Buffer.alloc(0);

/**
 * Sends a response in one system call if it fits into a buffer. Otherwise each buffer is filled when the
 * kernel has accepted the previous one, so a slow reader costs a buffer instead of the whole response.
 *
 * @param head shorter than a buffer
 * @param onFlushed called when the socket has all of the response, unless this returns true
 */
export function writeResponse(
    socket: Socket,
    head: string,
    body: Body,
    onFlushed: () => void,
): boolean {
    const length = head.length + bodyLength(body);
    if (length > BUFFER_BYTES) {
        writeInBuffers(socket, head, body, onFlushed);
        return false;
    }
    const buffer = bufferPool.pop() ?? allocateBuffer();
    let at = buffer.write(head, "latin1");
    for (const piece of body) {
        buffer.set(piece, at);
        at += piece.length;
    }
    socket.write(buffer.subarray(0, length));
    // Bytes that the kernel did not accept are still in the buffer.
    if (socket.writableLength === 0) bufferPool.push(buffer);
    return true;
}

function writeInBuffers(socket: Socket, head: string, body: Body, onFlushed: () => void): void {
    let piece = 0;
    let offset = 0;
    let buffersWritten = 0;
    const buffer = bufferPool.pop() ?? allocateBuffer();
    fillNext(buffer.write(head, "latin1"));

    function fillNext(start: number): void {
        let at = start;
        while (piece < body.length && at < BUFFER_BYTES) {
            const bytes = body[piece] ?? NOTHING;
            const copied = bytes.copy(buffer, at, offset);
            at += copied;
            offset += copied;
            if (offset < bytes.length) break;
            piece += 1;
            offset = 0;
        }
        socket.write(buffer.subarray(0, at), onWritten);
    }

    function onWritten(error?: Error | null): void {
        // The connection is lost, and the state of the last write is unknown: the buffer is not reused.
        if (error) return;
        if (piece < body.length) {
            buffersWritten += 1;
            if (buffersWritten % BUFFERS_PER_TURN === 0) setImmediate(fillNext, 0);
            else fillNext(0);
            return;
        }
        if (bufferPool.length < MAX_POOLED_BUFFERS) bufferPool.push(buffer);
        onFlushed();
    }
}

export function bodyLength(body: Body): number {
    let length = 0;
    for (const piece of body) length += piece.length;
    return length;
}

function allocateBuffer(): Buffer {
    return Buffer.allocUnsafeSlow(BUFFER_BYTES);
}
