import { readFileSync } from "node:fs";

/** Whether a process of this machine exists. */
export function isProcessAlive(pid: number): boolean {
    try {
        process.kill(pid, 0);
        return true;
    } catch (error) {
        return (error as NodeJS.ErrnoException).code === "EPERM";
    }
}

/** Identity of a process, which no later one with its id has; undefined where the system has no /proc. */
export function processStart(pid: number): string | undefined {
    try {
        const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
        // The name in parentheses may contain spaces; the start is field 22, and field 3 follows the name.
        const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
            .replace(/^.*\) /s, "")
            .split(" ");
        return `${boot} ${fields[19] ?? ""}`;
    } catch {
        return undefined;
    }
}
