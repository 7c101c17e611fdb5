import { execa } from "execa";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { PATHS } from "../paths.ts";
import { LocalError, tryRun } from "../shell.ts";
import { findCgroups, members, removeCgroup } from "./cgroups.ts";
import { NETWORK } from "./network.ts";

/** A node is made of Linux's namespaces and cgroups: elsewhere there is none, and nothing to look at. */
const RUNS_NODES = process.platform === "linux";

const ATTEMPTS = 100;
const PAUSE_MILLISECONDS = 50;

/**
 * Ends the node: one process tree in its own pid, mount and network namespaces, so that the end of its
 * init ends every process and every mount. Finds it by what it runs in and not by a number in a file,
 * which may be another process's by now.
 *
 * @throws LocalError naming what could not be removed, or the folder of another cache's node, which is kept.
 */
export async function removeNode(): Promise<void> {
    if (!RUNS_NODES) return;
    await assertNoForeignNode();
    let left: string[] = [];
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
        const running = await nodeProcesses();
        running.forEach(kill);
        if (running.length === 0) {
            // The link first: a namespace that is still referred to would keep its end of it.
            await execa("ip", ["link", "delete", NETWORK.hostLink], { reject: false });
            await execa("ip", ["netns", "delete", NETWORK.namespace], { reject: false });
            cgroups().forEach(removeCgroup);
            left = await listLeftovers();
            if (left.length === 0) return;
        }
        await delay(PAUSE_MILLISECONDS);
    }
    throw new LocalError(`the node could not be removed; left: ${left.join("; ") || "processes"}`);
}

/** Lists what remains of this cache's node; empty if the node belongs to another cache, since only one fits. */
export async function listOwnLeftovers(): Promise<string[]> {
    return (await findForeignNode()) === undefined ? listLeftovers() : [];
}

/** What of a node is on this machine, running or not: a phrase for each; none after `make down`. */
export async function listLeftovers(): Promise<string[]> {
    if (!RUNS_NODES) return [];
    const processes = await nodeProcesses();
    return [
        ...(processes.length > 0 ? [`processes ${processes.join(", ")}`] : []),
        ...cgroups().map((cgroup) => `cgroup ${cgroup}`),
        ...listMounts(PATHS.node, readFileSync("/proc/self/mountinfo", "utf8")).map(
            (mount) => `mount ${mount}`,
        ),
        ...(existsSync(path.join("/run/netns", NETWORK.namespace))
            ? [`network namespace ${NETWORK.namespace}`]
            : []),
        ...(existsSync(path.join("/sys/class/net", NETWORK.hostLink))
            ? [`link ${NETWORK.hostLink}`]
            : []),
    ];
}

/** State folder of the node that another cache's `make up` runs on this machine; undefined: there is none. */
export async function findForeignNode(): Promise<string | undefined> {
    if (!RUNS_NODES) return undefined;
    const folders = (await nodeProcesses()).map((pid) => stateFolderIn(commandLine(pid)));
    return folders.find((folder) => folder !== undefined && folder !== PATHS.node);
}

/** A machine has room for one node: addresses and names are the same in every cache. */
async function assertNoForeignNode(): Promise<void> {
    const folder = await findForeignNode();
    if (folder === undefined) return;
    throw new LocalError(
        `a node of another cache runs on this machine (${folder}): end it by make down there, ` +
            `or use it with XDG_CACHE_HOME=${path.resolve(folder, "../..")}`,
    );
}

/** The state folder that a program of a node was started with, by its command line. */
export function stateFolderIn(command: string): string | undefined {
    return /(?:^|[\s=])(\/\S*\/node-state)\//.exec(command)?.[1];
}

function commandLine(pid: number): string {
    try {
        return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
    } catch {
        return "";
    }
}

/** Mount points at or below a folder; in mountinfo a blank is written as \040. */
export function listMounts(folder: string, mountinfo: string): string[] {
    return mountinfo
        .split("\n")
        .map((line) => (line.split(" ")[4] ?? "").replaceAll("\\040", " "))
        .filter((point) => point === folder || point.startsWith(`${folder}/`));
}

/** The node's own processes share its network; those of pods have another one, but are in its cgroup. */
async function nodeProcesses(): Promise<number[]> {
    const listed = await tryRun("ip", ["netns", "pids", NETWORK.namespace]);
    const own = (listed ?? "").split("\n").filter(Boolean).map(Number);
    return [...new Set([...own, ...cgroups().flatMap(members)])];
}

function cgroups(): string[] {
    return findCgroups(NETWORK.namespace);
}

function kill(pid: number): void {
    try {
        process.kill(pid, "SIGKILL");
    } catch {
        // It has already ended.
    }
}
