/** Budget of all large bodies per 8 ms: 32 MiB per second take some tenths of a millisecond of each slice. */
const BYTES_PER_SLICE = 256 * 1024;
const SLICE_MILLISECONDS = 8;
/** Maximum that libuv reads from a connection at once. */
const BYTES_PER_READ = 64 * 1024;
const READS_PER_SLICE = BYTES_PER_SLICE / BYTES_PER_READ;

const paused: (() => void)[] = [];
let remainingBytes = BYTES_PER_SLICE;
let isScheduled = false;

/**
 * Counts the bytes of incomplete bodies. Otherwise clients with fast large uploads would monopolise the event
 * loop, which reads up to two megabytes per connection and turn.
 *
 * @param resume continues reading, in a later turn
 * @returns whether the connection must pause reading until then
 */
export function mustPause(bytes: number, resume: () => void): boolean {
    remainingBytes -= bytes;
    if (!isScheduled) {
        isScheduled = true;
        setTimeout(startSlice, SLICE_MILLISECONDS);
    }
    if (remainingBytes > 0) return false;
    paused.push(resume);
    return true;
}

/** The longest-waiting connections are resumed first. */
function startSlice(): void {
    remainingBytes = BYTES_PER_SLICE;
    isScheduled = paused.length > READS_PER_SLICE;
    if (isScheduled) setTimeout(startSlice, SLICE_MILLISECONDS);
    for (const resume of paused.splice(0, READS_PER_SLICE)) resume();
}
