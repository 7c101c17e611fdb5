/** Size of a segment, which is also the minimum memory of a large body. */
export const SEGMENT_BYTES = 256 * 1024;

/** Pool of memory segments for large bodies, shared with the thread that parses them. */
export interface SegmentPool {
    readonly acquire: () => Buffer;
    /** The segment must not be read afterwards. */
    readonly release: (segment: Buffer) => void;
}

/**
 * Reuses the segments of finished bodies. Fresh memory costs a page fault per 4 KiB and triggers a scan of
 * the whole heap for every 30 MB or so: more than all other work of the event loop for a body. The budget of
 * bodies bounds the pool.
 */
export function createSegmentPool(): SegmentPool {
    const free: Buffer[] = [];
    return {
        acquire: () => free.pop() ?? Buffer.from(new SharedArrayBuffer(SEGMENT_BYTES)),
        release: (segment) => void free.push(segment),
    };
}
