import { setImmediate as nextTurn } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

/** @returns bytes of used memory: objects, and the contents of buffers */
export async function usedBytes(): Promise<number> {
    // Buffers of the first collection are released by the second.
    collectGarbage();
    await nextTurn();
    return usedBytesNow();
}

/** The same for a callback that cannot wait; buffers that were freed in this turn may still count. */
export function usedBytesNow(): number {
    collectGarbage();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    return heapUsed + arrayBuffers;
}
