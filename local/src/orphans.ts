import { existsSync, readdirSync, readFileSync } from "node:fs";

/** Environment variable that everything a run starts inherits, except for the node, which stays. */
export const RUN = "PROPERTY_SEARCH_RUN";

/** Marks what this process starts from here on as a part of its run of `lock`. */
export function markProcess(lock: string): void {
    process.env[RUN] = valueOf(lock, process.pid);
}

/** This process's environment without the mark: for what outlives the run. */
export function withoutMark(): NodeJS.ProcessEnv {
    return Object.fromEntries(Object.entries(process.env).filter(([name]) => name !== RUN));
}

/**
 * Ends what killed runs have left working, such as a compiler: it would write the files that this run
 * writes. For the holder of the lock only, since every other run is dead then. Only Linux shows which
 * processes these are; elsewhere they end by themselves.
 *
 * @param processes folder with a folder for each process
 * @returns the processes that were ended.
 */
export function killOrphans(lock: string, processes = "/proc"): number[] {
    if (!existsSync(processes)) return [];
    const orphans = readdirSync(processes)
        .map(Number)
        .filter((pid) => pid > 0 && isOrphan(environmentOf(pid), lock, process.pid));
    return orphans.filter(kill);
}

/** @param environment as in /proc/PID/environ: `NAME=value`, each ended by a zero byte. */
export function isOrphan(environment: string, lock: string, own: number): boolean {
    const mark = environment.split("\0").find((entry) => entry.startsWith(`${RUN}=${lock}:`));
    return mark !== undefined && mark !== `${RUN}=${valueOf(lock, own)}`;
}

function valueOf(lock: string, pid: number): string {
    return `${lock}:${pid}`;
}

/** Empty for a process that has ended, or is another user's. */
function environmentOf(pid: number): string {
    try {
        return readFileSync(`/proc/${pid}/environ`, "utf8");
    } catch {
        return "";
    }
}

function kill(pid: number): boolean {
    try {
        return process.kill(pid, "SIGKILL");
    } catch {
        return false;
    }
}
