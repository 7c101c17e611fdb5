import { readdirSync, readFileSync } from "node:fs";
import { constants, setPriority } from "node:os";

/**
 * Makes this thread give way to the event loop: requests that are answered at once come first. On Linux a
 * priority is the thread's own. It still has a tenth of a processor that the event loop wants for itself all
 * the time, and all that the event loop leaves; at the lowest, a busy node would give it nothing for minutes.
 */
export function yieldToEventLoop(): void {
    if (process.platform === "linux") setPriority(constants.priority.PRIORITY_BELOW_NORMAL);
}

const THREADS = "/proc/self/task";

/**
 * Makes the threads by which V8 collects garbage and compiles give way to the event loop as well. There are
 * four of them: on a pod's one or two processors they would take most of it while they mark, and every client
 * would wait. What of their work the event loop itself waits for is then the only one that wants a processor.
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
        // Without /proc they keep the priority that they have.
    }
}
