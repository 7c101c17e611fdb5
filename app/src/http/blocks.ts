import type { Socket } from "node:net";

import type { Body } from "./exchange.ts";

/**
 * Copying pieces into one block is cheaper than to tell the kernel, and before it Node's streams, of each. So
 * long is a segment of the loopback interface (65,535 less the heads): one byte more would be a second one.
 */
export const BLOCK_BYTES = 65_483;
/** Then others have their turn: a client that reads fast would else keep the rest waiting for seconds. */
const BLOCKS_A_TURN = 4;
const MAX_SPARE_BLOCKS = 256;

const spare: Buffer[] = [];
const NOTHING = Buffer.alloc(0);

/**
 * Sends an answer: in one system call where it fits into a block. Of a longer one, the next block is filled
 * when the kernel has taken the one before: a client that reads slowly costs a block, and not its answer.
 *
 * @param head shorter than a block
 * @param given called later, unless this returns true: all has been given to the socket
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
    // What the kernel did not take at once still lies in the block.
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
        // The connection is gone, and what becomes of the block's last write is not known.
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
