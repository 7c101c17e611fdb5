import { readdir, readFile, rm } from "node:fs/promises";
import { hostname } from "node:os";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { ClusterError } from "../../cluster/connect.ts";
import { isRunningSince } from "../../stack/processes.ts";
import { PROJECT, type PulumiWorkspace } from "./workspace.ts";

interface WaitOptions {
    readonly report: (line: string) => void;
    readonly signal?: AbortSignal | undefined;
    /** Default: 300 */
    readonly timeoutSeconds?: number;
}

const TIMEOUT_SECONDS = 300;
const POLL_MILLISECONDS = 1_000;

/**
 * Waits for other updates of a stack on a file backend, such as those of a switch, and removes locks of dead processes.
 *
 * @throws ClusterError with the holder of the lock on a timeout
 */
export async function waitUntilUnlocked(
    { backendFolder, stack }: Pick<PulumiWorkspace, "backendFolder" | "stack">,
    { report, signal, timeoutSeconds = TIMEOUT_SECONDS }: WaitOptions,
): Promise<void> {
    if (backendFolder === undefined) return;
    const deadline = Date.now() + timeoutSeconds * 1000;
    let reported = "";
    for (;;) {
        if (await releaseDeadLocks(backendFolder, PROJECT, stack)) {
            report("released the lock of an earlier update that was killed");
        }
        const [holder] = (await readLocks(backendFolder, PROJECT, stack)).map(describeHolder);
        if (holder === undefined) return;
        if (Date.now() >= deadline) {
            throw new ClusterError(
                `stack ${stack} is being updated by ${holder}: try again when that update has ended; if its process ` +
                    `has died, pulumi cancel --stack ${stack} unlocks the stack`,
            );
        }
        if (reported !== holder) report(`waiting: stack ${stack} is being updated by ${holder}`);
        reported = holder;
        await delay(POLL_MILLISECONDS, undefined, signal && { signal });
    }
}

/**
 * Removes a file backend's locks of dead processes of this machine, which would block every later update. Other locks stay.
 *
 * @param backendFolder undefined for other backends, which release their locks automatically
 * @returns the number of removed locks
 */
export async function releaseDeadLocks(
    backendFolder: string | undefined,
    project: string,
    stack: string,
): Promise<number> {
    if (backendFolder === undefined) return 0;
    let removed = 0;
    for (const lock of await readLocks(backendFolder, project, stack)) {
        const { file, pid, timestamp } = lock;
        const since = timestamp === undefined ? new Date() : new Date(timestamp);
        if (lock.hostname !== hostname() || pid === undefined || isRunningSince(pid, since))
            continue;
        await rm(file, { force: true });
        removed += 1;
    }
    return removed;
}

interface Lock {
    readonly file: string;
    readonly pid?: number;
    readonly username?: string;
    readonly hostname?: string;
    /** ISO 8601. */
    readonly timestamp?: string;
}

async function readLocks(backendFolder: string, project: string, stack: string): Promise<Lock[]> {
    const folder = path.join(backendFolder, ".pulumi/locks/organization", project, stack);
    const names = (await readdir(folder).catch(() => [])).filter((one) => one.endsWith(".json"));
    const locks = names.map(async (name) => {
        const file = path.join(folder, name);
        // An update may end meanwhile.
        const text = await readFile(file, "utf8").catch(() => undefined);
        return text === undefined ? [] : [{ ...(JSON.parse(text) as Lock), file }];
    });
    return (await Promise.all(locks)).flat();
}

function describeHolder({ username = "another user", hostname: host, pid }: Lock): string {
    return `${username}@${host ?? "another machine"} (pid ${pid ?? "unknown"})`;
}
