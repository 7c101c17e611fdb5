import { execFileSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import {
    existsSync,
    linkSync,
    mkdirSync,
    readFileSync,
    renameSync,
    rmSync,
    writeFileSync,
} from "node:fs";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { LocalError } from "./shell.ts";

interface Holder {
    pid: number;
    /** Start of the process, in clock ticks since boot or as a date: a reused number is another process. */
    started: string;
}

/** A killed holder needs a moment to end. */
const DEFAULT_WAIT_MILLISECONDS = 2_000;
const POLL_MILLISECONDS = 50;

export interface LockOptions {
    /** Milliseconds to wait for a living holder. */
    readonly waitMilliseconds?: number;
    /** Who else takes the lock, for the error. Default: make up and make down. */
    readonly holder?: string;
}

/**
 * Takes a lock for this process; one whose holder is dead is taken over.
 *
 * @returns how to give it back.
 * @throws LocalError when another living process holds it.
 */
export async function acquireLock(
    file: string,
    {
        waitMilliseconds = DEFAULT_WAIT_MILLISECONDS,
        holder: description = "another make up or make down",
    }: LockOptions = {},
): Promise<() => void> {
    mkdirSync(path.dirname(file), { recursive: true });
    const own: Holder = { pid: process.pid, started: readStartTime(process.pid) ?? "" };
    // A link appears with its content, so no process reads a half-written lock.
    const draft = `${file}.${process.pid}.${randomUUID()}`;
    writeFileSync(draft, JSON.stringify(own));
    try {
        const deadline = Date.now() + waitMilliseconds;
        while (!tryLink(draft, file)) {
            const holder = readHolder(file);
            if (!isAlive(holder)) {
                removeStaleLock(file);
                continue;
            }
            if (Date.now() >= deadline) {
                throw new LocalError(
                    `${description} is running (process ${holder.pid}); wait until it ends`,
                );
            }
            await delay(POLL_MILLISECONDS);
        }
    } finally {
        rmSync(draft, { force: true });
    }
    return () => {
        rmSync(file, { force: true });
    };
}

function tryLink(draft: string, file: string): boolean {
    try {
        linkSync(draft, file);
        return true;
    } catch (error) {
        if (errorCode(error) === "EEXIST") return false;
        throw error;
    }
}

/**
 * Removes the lock of a dead process. Another process may have replaced it since it was read, so the removed file is
 * checked again and restored if its holder is alive.
 */
function removeStaleLock(file: string): void {
    const aside = `${file}.${process.pid}.stale`;
    try {
        renameSync(file, aside);
    } catch (error) {
        if (errorCode(error) === "ENOENT") return;
        throw error;
    }
    if (isAlive(readHolder(aside))) tryLink(aside, file);
    rmSync(aside, { force: true });
}

function isAlive(holder: Holder | undefined): holder is Holder {
    return holder !== undefined && readStartTime(holder.pid) === holder.started;
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

function errorCode(error: unknown): string | undefined {
    return (error as NodeJS.ErrnoException).code;
}

/** @returns undefined for a process that has ended, including zombies */
function readStartTime(pid: number, processes = "/proc"): string | undefined {
    try {
        return existsSync(`${processes}/self`)
            ? parseStat(readFileSync(`${processes}/${pid}/stat`, "utf8"))
            : parsePs(runPs(pid));
    } catch {
        return undefined;
    }
}

/** Reads state and start time of a process on systems without /proc; all POSIX except `lstart`. */
function runPs(pid: number): string {
    const columns = ["-o", "stat=", "-o", "lstart=", "-p", `${pid}`];
    return execFileSync("ps", columns, {
        encoding: "utf8",
        env: { ...process.env, LC_ALL: "C", TZ: "UTC" },
    });
}

/** @param line such as `S+   Sun Nov 29 01:37:02 2026` */
export function parsePs(line: string): string | undefined {
    const [state = "", ...date] = line.trim().split(/\s+/);
    return state === "" || state.startsWith("Z") ? undefined : date.join(" ");
}

/**
 * @returns field 22 of /proc/PID/stat, unless field 3 says that the process has ended. Field 2 may contain blanks but
 *   ends with the last bracket (proc(5)).
 */
export function parseStat(stat: string): string | undefined {
    const [state = "", ...fields] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return /[ZXx]/.test(state) ? undefined : fields[18];
}
