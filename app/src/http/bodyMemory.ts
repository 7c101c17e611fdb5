/** Of one piece; also what a body of more than a turn's takes at least. */
export const SEGMENT_BYTES = 256 * 1024;

/** Memory of large bodies in pieces, shared with the thread that reads them. */
export interface BodyMemory {
    readonly take: () => Buffer;
    /** Nobody may read it from now on. */
    readonly giveBack: (segment: Buffer) => void;
}

/**
 * The next body gets the memory of those that are done. Fresh memory costs a page fault each 4 KiB, and makes
 * the garbage collector look through the whole heap each time that some 30 MB have come in: more time than all
 * else that the event loop has to do for a body. What is taken at once is bounded by the budget of bodies.
 */
export function bodyMemory(): BodyMemory {
    const free: Buffer[] = [];
    return {
        take: () => free.pop() ?? Buffer.from(new SharedArrayBuffer(SEGMENT_BYTES)),
        giveBack: (segment) => void free.push(segment),
    };
}
