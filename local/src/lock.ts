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
const PATIENCE_MILLISECONDS = 2_000;
const POLL_MILLISECONDS = 50;

export interface LockOptions {
    /** Milliseconds to wait for a living holder. */
    readonly patience?: number;
    /** Who else takes the lock, for the error. Default: make up and make down. */
    readonly holder?: string;
}

/**
 * Takes a lock for this process; one whose holder is dead is taken over.
 *
 * @returns how to give it back.
 * @throws LocalError when another living process holds it.
 */
export async function takeLock(
    file: string,
    {
        patience = PATIENCE_MILLISECONDS,
        holder: who = "another make up or make down",
    }: LockOptions = {},
): Promise<() => void> {
    mkdirSync(path.dirname(file), { recursive: true });
    const own: Holder = { pid: process.pid, started: startOf(process.pid) ?? "" };
    // A link appears with its content, so that nobody ever reads a lock that is not yet written.
    const draft = `${file}.${process.pid}.${randomUUID()}`;
    writeFileSync(draft, JSON.stringify(own));
    try {
        const deadline = Date.now() + patience;
        while (!linked(draft, file)) {
            const holder = readHolder(file);
            if (!isAlive(holder)) {
                discard(file);
                continue;
            }
            if (Date.now() >= deadline) {
                throw new LocalError(`${who} is at work (process ${holder.pid}); wait for it`);
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

/** Undefined for a process that has ended, also while nobody has asked for its exit code. */
export function startOf(pid: number, processes = "/proc"): string | undefined {
    try {
        return existsSync(`${processes}/self`)
            ? startFrom(readFileSync(`${processes}/${pid}/stat`, "utf8"))
            : startFromPs(psOf(pid));
    } catch {
        return undefined;
    }
}

/** A process's state and the date of its start, where there is no /proc; both are POSIX but for `lstart`. */
function psOf(pid: number): string {
    const columns = ["-o", "stat=", "-o", "lstart=", "-p", `${pid}`];
    return execFileSync("ps", columns, {
        encoding: "utf8",
        env: { ...process.env, LC_ALL: "C", TZ: "UTC" },
    });
}

/** @param line such as `S+   Sun Nov 29 01:37:02 2026` */
export function startFromPs(line: string): string | undefined {
    const [state = "", ...date] = line.trim().split(/\s+/);
    return state === "" || state.startsWith("Z") ? undefined : date.join(" ");
}

/**
 * Field 22 of /proc/PID/stat, unless field 3 says that the process has ended. Field 2 may hold blanks, but
 * ends with the last bracket (proc(5)).
 */
export function startFrom(stat: string): string | undefined {
    const [state = "", ...fields] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return /[ZXx]/.test(state) ? undefined : fields[18];
}
