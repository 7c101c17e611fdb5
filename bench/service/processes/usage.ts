import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as wait } from "node:timers/promises";

/** USER_HZ and the page size are the same on every Linux that Node 24 runs on. */
const TICKS_PER_SECOND = 100;
const PAGE_BYTES = 4_096;

/**
 * Processor seconds that a process group has used so far (proc_pid_stat(5)).
 *
 * @param group its leader's process id
 */
export function groupCpuSeconds(group: number): number {
    let ticks = 0;
    for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
        const fields = statFields(pid);
        if (Number(fields?.[FIELD.group]) !== group) continue;
        ticks += Number(fields?.[FIELD.user]) + Number(fields?.[FIELD.system]);
    }
    return ticks / TICKS_PER_SECOND;
}

/** Resident bytes of one process. Searching for its group would take tens of milliseconds of the generator's core. */
export function residentBytes(pid: number): number {
    return Number(statFields(String(pid))?.[FIELD.resident]) * PAGE_BYTES;
}

/** Waits until a process group is nearly idle, at most `maxSeconds`. */
export async function waitUntilIdle(
    group: number,
    maxSeconds: number,
    signal: AbortSignal,
): Promise<void> {
    const deadline = performance.now() + maxSeconds * 1000;
    let used = groupCpuSeconds(group);
    while (performance.now() < deadline) {
        await wait(200, undefined, { signal });
        const cpuSeconds = groupCpuSeconds(group);
        if (cpuSeconds - used < 0.02) return;
        used = cpuSeconds;
    }
}

/** Processor seconds of this process's children that have ended. */
export function endedChildrenSeconds(): number {
    const fields = statFields("self");
    return (
        (Number(fields?.[FIELD.childrenUser]) + Number(fields?.[FIELD.childrenSystem])) /
        TICKS_PER_SECOND
    );
}

/** Positions in /proc/PID/stat after the command name, which may contain spaces. */
const FIELD = {
    group: 2,
    user: 11,
    system: 12,
    childrenUser: 13,
    childrenSystem: 14,
    resident: 21,
} as const;

/** @returns undefined if the process has ended */
function statFields(pid: string): readonly string[] | undefined {
    try {
        const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
        return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    } catch {
        return undefined;
    }
}
