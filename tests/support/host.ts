import type { V1Pod } from "@kubernetes/client-node";
import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { promisify } from "node:util";
import { hierarchies } from "../../local/src/node/cgroups.ts";

/** What of this machine a node could leave something in. */
export interface HostState {
    readonly links: readonly string[];
    readonly routes: readonly string[];
    readonly namespaces: readonly string[];
    readonly firewall: readonly string[];
    readonly mounts: readonly string[];
    readonly cgroups: readonly string[];
    readonly processes: readonly string[];
}

/** Programs of a node; this machine may run none of them for another reason while the test runs. */
const PROGRAMS = /^(kube|etcd|containerd|coredns|traefik|metrics-server|pause|keda|prometheus)/;

export async function hostState(): Promise<HostState> {
    return {
        links: names(await lines("ip", "-o", "link"), 1),
        routes: await lines("ip", "route", "show", "table", "all"),
        namespaces: await lines("ip", "netns", "list"),
        firewall: (await lines("iptables-save")).filter((line) => /^[-:*]/.test(line)),
        mounts: names(readFileSync("/proc/self/mountinfo", "utf8").split("\n"), 4),
        cgroups: hierarchies().flatMap((root) =>
            readdirSync(root).map((name) => `${root}/${name}`),
        ),
        processes: (await lines("ps", "-eo", "comm=")).filter((name) => PROGRAMS.test(name)),
    };
}

/**
 * Ends the processes of a pod's containers with SIGKILL, as the kernel does when memory is short: no
 * signal before it, no time to say anything. The node's processes have to be this machine's.
 *
 * @throws when no process of it is on this machine.
 */
export function killAtOnce(pod: V1Pod): void {
    for (const id of processesOf(pod)) end(id);
}

/**
 * Processes of a pod's containers.
 *
 * @throws when none of it is on this machine.
 */
export function processesOf(pod: V1Pod): readonly number[] {
    const containers = (pod.status?.containerStatuses ?? []).flatMap(({ containerID }) =>
        containerID === undefined ? [] : [containerID.replace(/^\w+:\/\//, "")],
    );
    const processes = readdirSync("/proc")
        .filter((name) => /^\d+$/.test(name))
        .filter((id) => containers.some((container) => cgroupOf(id).includes(container)));
    if (processes.length > 0) return processes.map(Number);
    throw new Error(`no process of pod ${pod.metadata?.name ?? ""} is on this machine`);
}

function end(process_: number): void {
    try {
        process.kill(process_, "SIGKILL");
    } catch (error) {
        // A probe's command that has ended meanwhile, or with its parent.
        if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    }
}

/** Names of a process' cgroups; nothing of one that has ended meanwhile. */
function cgroupOf(process: string): string {
    try {
        return readFileSync(`/proc/${process}/cgroup`, "utf8");
    } catch {
        return "";
    }
}

function names(table: readonly string[], column: number): string[] {
    return table.map((line) => line.split(/\s+/)[column] ?? "").sort();
}

async function lines(command: string, ...args: string[]): Promise<string[]> {
    const { stdout } = await promisify(execFile)(command, args);
    // Counters of rules and chains change by themselves.
    return stdout
        .replaceAll(/\[\d+:\d+\]/g, "")
        .split("\n")
        .filter(Boolean)
        .sort();
}
