/** Of all large bodies together, each 8 ms: some tenths of a millisecond to receive and copy, 32 MiB a second. */
const BYTES_A_SLICE = 256 * 1024;
const SLICE_MILLISECONDS = 8;
/** libuv reads no more of a connection at once. */
const BYTES_A_READ = 64 * 1024;
const READS_A_SLICE = BYTES_A_SLICE / BYTES_A_READ;

const paused: (() => void)[] = [];
let left = BYTES_A_SLICE;
let isScheduled = false;

/**
 * Counts bytes of bodies that come after the first ones. Clients that send large bodies fast would else have
 * all of the event loop: of each connection it reads two megabytes a turn.
 *
 * @param resume continues to read, in a later turn
 * @returns whether the connection must not be read any further until then
 */
export function mustPause(bytes: number, resume: () => void): boolean {
    left -= bytes;
    if (!isScheduled) {
        isScheduled = true;
        setTimeout(beginSlice, SLICE_MILLISECONDS);
    }
    if (left > 0) return false;
    paused.push(resume);
    return true;
}

/** Those that have waited longest are read first. */
function beginSlice(): void {
    left = BYTES_A_SLICE;
    isScheduled = paused.length > READS_A_SLICE;
    if (isScheduled) setTimeout(beginSlice, SLICE_MILLISECONDS);
    for (const resume of paused.splice(0, READS_A_SLICE)) resume();
}
