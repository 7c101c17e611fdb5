import { createByteBudget } from "../../memory/byteBudget.ts";

/** Total of the responses that clients have not read yet. */
export const MAX_BYTES_UNREAD = 128 * 1024 * 1024;

/** Responses that clients have not read yet. Beyond the limit, the connection of the oldest is closed. */
const unread = createByteBudget(MAX_BYTES_UNREAD);

/**
 * Tracks an unread response.
 *
 * @param close closes its connection if others need the memory
 * @returns must be called when the kernel has the whole response, or the connection has closed
 */
export function trackUnread(bytes: number, close: () => void): () => void {
    const reservation = unread.reserve(close);
    reservation.grow(Math.min(bytes, MAX_BYTES_UNREAD));
    return reservation.release;
}
