import type { V1Pod } from "@kubernetes/client-node";
import { execFile } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { promisify } from "node:util";
import { hierarchies } from "../../local/src/node/cgroups.ts";
import { runOnNode } from "./node.ts";

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

/** Those of the processes that have ended meanwhile, such as a probe's command, are no failure. */
const KILL = 'for id; do kill -s KILL "$id" || [ ! -e "/proc/$id" ] || exit 1; done';

/**
 * Ends the processes of a pod's containers with SIGKILL, as the kernel does when memory is short: no
 * signal before it, no time to say anything.
 *
 * @throws when no process of it can be reached.
 */
export async function killAtOnce(pod: V1Pod): Promise<void> {
    await runOnNode("bash", "-c", KILL, "bash", ...(await processesOf(pod)));
}

/** A process may end while its file is read. */
const FIND = 'grep -lsE "$0" /proc/[0-9]*/cgroup || true';

/**
 * Ids of the processes of a pod's containers, on the node.
 *
 * @throws when none of it can be reached.
 */
async function processesOf(pod: V1Pod): Promise<readonly string[]> {
    const containers = (pod.status?.containerStatuses ?? []).flatMap(({ containerID }) =>
        containerID === undefined ? [] : [containerID.replace(/^\w+:\/\//, "")],
    );
    const files = await runOnNode("bash", "-c", FIND, containers.join("|"));
    const processes = [...files.matchAll(/^\/proc\/(\d+)\//gm)].map(([, id = ""]) => id);
    if (containers.length > 0 && processes.length > 0) return processes;
    throw new Error(
        `no process of pod ${pod.metadata?.name ?? ""} is on this machine or kind's node`,
    );
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
