import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { LocalError } from "./shell.ts";

interface Holder {
    pid: number;
    /** Start of the process in clock ticks since boot: a reused number is another process. */
    started: string;
}

const ATTEMPTS = 5;

/**
 * Takes a lock for this process; one whose holder is dead is taken over.
 *
 * @returns how to give it back.
 * @throws LocalError when another living process holds it.
 */
export function takeLock(file: string): () => void {
    mkdirSync(path.dirname(file), { recursive: true });
    const own: Holder = { pid: process.pid, started: startOf(process.pid) ?? "" };
    // A link appears with its content, so that nobody ever reads a lock that is not yet written.
    const draft = `${file}.${process.pid}`;
    writeFileSync(draft, JSON.stringify(own));
    try {
        for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
            if (linked(draft, file)) {
                return () => {
                    rmSync(file, { force: true });
                };
            }
            const holder = readHolder(file);
            if (isAlive(holder)) {
                throw new LocalError(
                    `another make up or make down is at work (process ${holder.pid}); wait for it`,
                );
            }
            discard(file);
        }
    } finally {
        rmSync(draft, { force: true });
    }
    throw new LocalError(`other processes keep taking ${file}; run the command again`);
}

function linked(draft: string, file: string): boolean {
    try {
        linkSync(draft, file);
        return true;
    } catch (error) {
        if (codeOf(error) === "EEXIST") return false;
        throw error;
    }
}

/**
 * Takes a dead holder's lock away. Between reading it and this another process may have replaced it: what
 * was really taken away is looked at again, and a living holder gets it back.
 */
function discard(file: string): void {
    const aside = `${file}.${process.pid}.stale`;
    try {
        renameSync(file, aside);
    } catch (error) {
        if (codeOf(error) === "ENOENT") return;
        throw error;
    }
    if (isAlive(readHolder(aside))) linked(aside, file);
    rmSync(aside, { force: true });
}

function isAlive(holder: Holder | undefined): holder is Holder {
    return holder !== undefined && startOf(holder.pid) === holder.started;
}

function readHolder(file: string): Holder | undefined {
    try {
        const value: unknown = JSON.parse(readFileSync(file, "utf8"));
        return isHolder(value) ? value : undefined;
    } catch {
        return undefined;
    }
}

function isHolder(value: unknown): value is Holder {
    return (
        typeof value === "object" &&
        value !== null &&
        "pid" in value &&
        typeof value.pid === "number" &&
        "started" in value &&
        typeof value.started === "string"
    );
}

function codeOf(error: unknown): string | undefined {
    return (error as NodeJS.ErrnoException).code;
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
