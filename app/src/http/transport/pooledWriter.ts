import type { Socket } from "node:net";

import type { Body } from "../protocol/exchange.ts";

/**
 * Copying pieces into one buffer is cheaper than passing each to Node's streams and the kernel. The size is
 * one segment of the loopback interface (65,535 bytes less the headers); one more byte would need a second
 * segment.
 */
export const BLOCK_BYTES = 65_483;
/** Then the connection yields: a fast reader would otherwise delay all other clients for seconds. */
const BLOCKS_A_TURN = 4;
const MAX_SPARE_BLOCKS = 256;

const spare: Buffer[] = [];
const NOTHING = Buffer.alloc(0);

/**
 * Sends a response in one system call if it fits into a buffer. Otherwise each buffer is filled when the
 * kernel has accepted the previous one, so a slow reader costs a buffer instead of the whole response.
 *
 * @param head shorter than a buffer
 * @param onFlushed called when the socket has all of the response, unless this returns true
 */
export function write(socket: Socket, head: string, body: Body, given: () => void): boolean {
    const length = head.length + lengthOf(body);
    if (length > BLOCK_BYTES) {
        writeBlocks(socket, head, body, given);
        return false;
    }
    const block = spare.pop() ?? newBlock();
    let at = block.write(head, "latin1");
    for (const piece of body) {
        block.set(piece, at);
        at += piece.length;
    }
    socket.write(block.subarray(0, length));
    // Bytes that the kernel did not accept are still in the buffer.
    if (socket.writableLength === 0) spare.push(block);
    return true;
}

function writeBlocks(socket: Socket, head: string, body: Body, given: () => void): void {
    let piece = 0;
    let offset = 0;
    let blocks = 0;
    const block = spare.pop() ?? newBlock();
    next(block.write(head, "latin1"));

    function next(begun: number): void {
        let at = begun;
        while (piece < body.length && at < BLOCK_BYTES) {
            const bytes = body[piece] ?? NOTHING;
            const copied = bytes.copy(block, at, offset);
            at += copied;
            offset += copied;
            if (offset < bytes.length) break;
            piece += 1;
            offset = 0;
        }
        socket.write(block.subarray(0, at), written);
    }

    function written(error?: Error | null): void {
        // The connection is lost, and the state of the last write is unknown: the buffer is not reused.
        if (error) return;
        if (piece < body.length) {
            blocks += 1;
            if (blocks % BLOCKS_A_TURN === 0) setImmediate(next, 0);
            else next(0);
            return;
        }
        if (spare.length < MAX_SPARE_BLOCKS) spare.push(block);
        given();
    }
}

export function lengthOf(body: Body): number {
    let length = 0;
    for (const piece of body) length += piece.length;
    return length;
}

function newBlock(): Buffer {
    return Buffer.allocUnsafeSlow(BLOCK_BYTES);
}
