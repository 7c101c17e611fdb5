import { execa } from "execa";
import { existsSync, readdirSync, readFileSync, rmdirSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import path from "node:path";
import { tryRun } from "../shell.ts";
import { NETWORK } from "./network.ts";

const CGROUPS = "/sys/fs/cgroup";

/** Processes in the node's network namespace: all of the node's own. */
export async function nodeProcesses(): Promise<number[]> {
    const listed = await tryRun("ip", ["netns", "pids", NETWORK.namespace]);
    return (listed ?? "").split("\n").filter(Boolean).map(Number);
}

/** The node's cgroup in each hierarchy: one on cgroup v2, one a controller on v1. */
export function nodeCgroups(): string[] {
    return [CGROUPS, ...readdirSync(CGROUPS).map((name) => path.join(CGROUPS, name))]
        .map((folder) => path.join(folder, NETWORK.namespace))
        .filter((folder) => existsSync(folder));
}

/**
 * Ends the node: one process tree in its own pid, mount and network namespaces, so that the end of its
 * init ends every process and every mount. Finds it by what it runs in and not by a number in a file,
 * which may be another process's by now.
 */
export async function removeNode(): Promise<void> {
    for (let attempt = 0; attempt < 100; attempt += 1) {
        const processes = new Set([...(await nodeProcesses()), ...nodeCgroups().flatMap(members)]);
        if (processes.size === 0) break;
        for (const pid of processes) kill(pid);
        await delay(50);
    }
    await execa("ip", ["netns", "delete", NETWORK.namespace], { reject: false });
    await execa("ip", ["link", "delete", NETWORK.hostLink], { reject: false });
    for (let attempt = 0; attempt < 20 && nodeCgroups().length > 0; attempt += 1) {
        nodeCgroups().forEach(removeCgroup);
        if (nodeCgroups().length > 0) await delay(50);
    }
}

function members(cgroup: string): number[] {
    const own = readFileSync(path.join(cgroup, "cgroup.procs"), "utf8").split("\n");
    const children = readdirSync(cgroup, { withFileTypes: true }).filter((one) =>
        one.isDirectory(),
    );
    return [
        ...own.filter(Boolean).map(Number),
        ...children.flatMap(({ name }) => members(path.join(cgroup, name))),
    ];
}

/** Children first: a cgroup goes only when it is empty. One that is still busy goes at the next try. */
function removeCgroup(cgroup: string): void {
    for (const child of readdirSync(cgroup, { withFileTypes: true })) {
        if (child.isDirectory()) removeCgroup(path.join(cgroup, child.name));
    }
    try {
        rmdirSync(cgroup);
    } catch {
        return;
    }
}

function kill(pid: number): void {
    try {
        process.kill(pid, "SIGKILL");
    } catch {
        return;
    }
}
