import { readdir, rm, stat } from "node:fs/promises";
import path from "node:path";
import { isRunningSince } from "./processes.ts";

const PROCESS_ID = /\.pid(\d+)\.\w+$/;

/** Path of a temporary file of this process: its id precedes the extension, by which the Pulumi CLI parses a file. */
export function processFile(file: string): string {
    const { dir, name, ext } = path.parse(file);
    return path.join(dir, `${name}.pid${process.pid}${ext}`);
}

/**
 * Removes temporary files of dead processes from a folder, as a SIGKILL leaves them.
 *
 * @param prefix of the names. Default: any
 */
export async function removeDeadProcessFiles(folder: string, prefix = ""): Promise<void> {
    for (const name of await readdir(folder)) {
        const pid = PROCESS_ID.exec(name)?.[1];
        if (pid === undefined || !name.startsWith(prefix)) continue;
        const file = path.join(folder, name);
        // Another process may remove it now, too.
        const { mtime } = await stat(file).catch(() => ({ mtime: new Date() }));
        if (!isRunningSince(Number(pid), mtime)) await rm(file, { force: true });
    }
}
