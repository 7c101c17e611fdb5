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
