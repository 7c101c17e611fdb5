import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { LocalError } from "./shell.ts";

interface Holder {
    pid: number;
    /** Start of the process in clock ticks since boot: a reused number is another process. */
    started: string;
}

/**
 * Takes a lock for this process; one whose holder is dead is taken over.
 *
 * @returns how to give it back.
 * @throws LocalError when another living process holds it.
 */
export function takeLock(file: string): () => void {
    mkdirSync(path.dirname(file), { recursive: true });
    const own: Holder = { pid: process.pid, started: startOf(process.pid) ?? "" };
    for (let attempt = 0; attempt < 2; attempt += 1) {
        try {
            writeFileSync(file, JSON.stringify(own), { flag: "wx" });
            return () => {
                rmSync(file, { force: true });
            };
        } catch (error) {
            if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
            const holder = readHolder(file);
            if (holder && startOf(holder.pid) === holder.started) {
                throw new LocalError(
                    `another make up or make down is at work (process ${holder.pid}); wait for it`,
                );
            }
            rmSync(file, { force: true });
        }
    }
    throw new LocalError(`another process took ${file} just now; run the command again`);
}

function readHolder(file: string): Holder | undefined {
    try {
        return JSON.parse(readFileSync(file, "utf8")) as Holder;
    } catch {
        return undefined;
    }
}

/** Field 22 of /proc/PID/stat; the second field may hold blanks, but ends with the last bracket. */
function startOf(pid: number): string | undefined {
    try {
        const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
        return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
    } catch {
        return undefined;
    }
}
