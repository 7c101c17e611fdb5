/** Below, the garbage collector takes less time for it. */
const LEAST_DISCARDED_BYTES = 4 * 1024;

/**
 * Frees memory that nobody reads any more. Else it would wait for the garbage collector, which looks through
 * the whole heap each time that some 30 MB of it have been made.
 */
export function discard({ buffer, byteLength }: Buffer): void {
    // A part of it may be somebody else's, as of the pool of short buffers.
    const isWhole = buffer instanceof ArrayBuffer && buffer.byteLength === byteLength;
    if (isWhole && byteLength >= LEAST_DISCARDED_BYTES) buffer.transfer(0);
}
