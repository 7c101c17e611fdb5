import { readdirSync, readFileSync } from "node:fs";
import { constants, setPriority } from "node:os";

/**
 * Lowers the priority of this thread, so that requests on the event loop come first. On Linux a priority
 * applies to one thread. At this level it still gets a tenth of a CPU that the event loop saturates; at the
 * lowest level, a busy node would starve it for minutes.
 */
export function yieldToEventLoop(): void {
    if (process.platform === "linux") setPriority(constants.priority.PRIORITY_BELOW_NORMAL);
}

const THREADS = "/proc/self/task";

/**
 * Lowers the priority of V8's threads for garbage collection and compilation. There are four of them; on a
 * pod's one or two CPUs, marking would delay every client. When the event loop itself waits for them, they
 * have the CPU for themselves.
 */
export function letHelpersYield(): void {
    if (process.platform !== "linux") return;
    try {
        for (const thread of readdirSync(THREADS)) {
            const name = readFileSync(`${THREADS}/${thread}/comm`, "utf8").trim();
            if (name === "V8Worker")
                setPriority(Number(thread), constants.priority.PRIORITY_BELOW_NORMAL);
        }
    } catch {
        // Without /proc the priorities stay unchanged.
    }
}
