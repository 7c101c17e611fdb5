import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { performance } from "node:perf_hooks";

/** Milliseconds of a tick in /proc, for programs on every architecture (proc(5), USER_HZ). */
const TICK_MILLISECONDS = 10;
/** Allowed difference between the start that a system reports and the time that the process itself recorded. */
const CLOCK_ERROR_MILLISECONDS = 60_000;

/** A process of this machine, as a lock records it. */
export interface ProcessRecord {
    readonly pid: number;
    /** Of processStart: a later process may have the same id. */
    readonly start?: string | undefined;
}

/** Whether a process of this machine has an id. */
export function isProcessAlive(pid: number): boolean {
    try {
        process.kill(pid, 0);
        return true;
    } catch (error) {
        return (error as NodeJS.ErrnoException).code === "EPERM";
    }
}

/** Whether a recorded process still runs; also if its id is in use and the system hides the start of that process. */
export function isRunning({ pid, start }: ProcessRecord): boolean {
    if (!isProcessAlive(pid)) return false;
    const current = processStart(pid);
    return current === undefined || current === start;
}

/** Whether the process with an id ran at an earlier time; also if the system hides its start. */
export function isRunningSince(pid: number, time: Date): boolean {
    if (!isProcessAlive(pid)) return false;
    const start = processStart(pid);
    if (start === undefined) return true;
    const own = processStart(process.pid) ?? "";
    const ticks = (text: string) => Number(text.split("-")[1]);
    const started = existsSync("/proc/self")
        ? performance.timeOrigin + (ticks(start) - ticks(own)) * TICK_MILLISECONDS
        : Date.parse(`${start} UTC`);
    return started <= time.getTime() + CLOCK_ERROR_MILLISECONDS;
}

/**
 * @returns start of a process as text that no later process with its id has; "" if it has ended and is a zombie;
 *   undefined if the system does not tell
 */
export function processStart(pid: number): string | undefined {
    try {
        if (!existsSync("/proc/self")) return parsePs(runPs(pid));
        const ticks = parseStat(readFileSync(`/proc/${pid}/stat`, "utf8"));
        const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8");
        return ticks && `${boot.slice(0, 8)}-${ticks}`;
    } catch {
        return undefined;
    }
}

/** Reads state and start of a process on systems without /proc; all POSIX except `lstart`. */
function runPs(pid: number): string {
    const columns = ["-o", "stat=", "-o", "lstart=", "-p", `${pid}`];
    return execFileSync("ps", columns, {
        encoding: "utf8",
        env: { ...process.env, LC_ALL: "C", TZ: "UTC" },
    });
}

/** @param line such as `S+   Sun Nov 29 01:37:02 2026` */
export function parsePs(line: string): string {
    const [state = "", ...date] = line.trim().split(/\s+/);
    return state.startsWith("Z") ? "" : date.join(" ");
}

/**
 * @returns field 22 of /proc/PID/stat, ticks since boot, unless field 3 says that the process has ended. Field 2 may
 *   contain blanks but ends with the last bracket (proc(5)).
 */
export function parseStat(stat: string): string {
    const [state = "", ...fields] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return /[ZXx]/.test(state) ? "" : (fields[18] ?? "");
}
