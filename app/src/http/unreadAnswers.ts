import { byteBudget } from "./byteBudget.ts";

/** Of all answers that clients have not read yet. */
export const MAX_BYTES_UNREAD = 128 * 1024 * 1024;

/** Answers that clients have not read yet: where they are too many, the connection of the oldest is closed. */
const unread = byteBudget(MAX_BYTES_UNREAD);

/**
 * Counts an answer as unread.
 *
 * @param close ends its connection, if others need the memory
 * @returns called when the kernel has all of it, or the connection is closed
 */
export function countUnread(bytes: number, close: () => void): () => void {
    const hold = unread.open(close);
    hold.grow(Math.min(bytes, MAX_BYTES_UNREAD));
    return hold.release;
}
