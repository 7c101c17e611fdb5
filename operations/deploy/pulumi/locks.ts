import { readdir, readFile, rm } from "node:fs/promises";
import { hostname } from "node:os";
import path from "node:path";
import { isProcessAlive } from "../../stack/processes.ts";

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
    const folder = path.join(backendFolder, ".pulumi/locks/organization", project, stack);
    const names = await readdir(folder).catch(() => []);
    let removed = 0;
    for (const name of names.filter((one) => one.endsWith(".json"))) {
        const file = path.join(folder, name);
        const { pid, hostname: host } = JSON.parse(await readFile(file, "utf8")) as Lock;
        if (host !== hostname() || pid === undefined || isProcessAlive(pid)) continue;
        await rm(file, { force: true });
        removed += 1;
    }
    return removed;
}

interface Lock {
    readonly pid?: number;
    readonly hostname?: string;
}
