import { runOnNode } from "./runOnNode.ts";

/** The part of a pod that is used here. */
interface Pod {
    readonly metadata?: { readonly name?: string };
    readonly status?: {
        readonly containerStatuses?: readonly { readonly containerID?: string }[];
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
export async function killAtOnce(pod: Pod): Promise<void> {
    await runOnNode("bash", "-c", KILL, "bash", ...(await processesOf(pod)));
}

/** A process may end while its file is read. */
const FIND = 'grep -lsE "$0" /proc/[0-9]*/cgroup || true';

/**
 * Ids of the processes of a pod's containers, on the node.
 *
 * @throws when none of it can be reached.
 */
async function processesOf(pod: Pod): Promise<readonly string[]> {
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
