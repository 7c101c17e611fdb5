import { readdirSync, readFileSync } from "node:fs";
import { constants, setPriority } from "node:os";

/**
 * Lowers the priority of this thread, so that requests on the event loop come first. On Linux a priority
 * applies to one thread, and in a container it counts among the threads of that container only. `low` gets
 * what the event loop leaves, and a tenth of a CPU that the event loop saturates; `lowest`, a sixtieth.
 */
export function lowerThreadPriority(priority: "low" | "lowest"): void {
    const { PRIORITY_BELOW_NORMAL, PRIORITY_LOW } = constants.priority;
    if (process.platform !== "linux") return;
    setPriority(priority === "low" ? PRIORITY_BELOW_NORMAL : PRIORITY_LOW);
}

const THREADS = "/proc/self/task";

/**
 * Lowers the priority of V8's threads for garbage collection and compilation: on a pod's one or two CPUs,
 * marking would delay every client. When the event loop itself waits for them, they have the CPU for
 * themselves.
 */
export function lowerHelperPriorities(): void {
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
