/** For smaller buffers, the garbage collector is faster. */
const MIN_FREED_BYTES = 4 * 1024;

/**
 * Frees a buffer that is no longer read. Otherwise it would wait for the garbage collector, which scans the
 * whole heap for every 30 MB or so of new buffers.
 */
export function freeBuffer({ buffer, byteLength }: Buffer): void {
    // Part of the memory may belong to other buffers, as in the pool of small buffers.
    const isWhole = buffer instanceof ArrayBuffer && buffer.byteLength === byteLength;
    if (isWhole && byteLength >= MIN_FREED_BYTES) buffer.transfer(0);
}
