import { readdir, rm, stat } from "node:fs/promises";
import path from "node:path";

/**
 * Keeps of a name's versions the newest one: they are large and can be made again.
 *
 * @param newest path of a file or folder named `NAME-HASH…`; its neighbours of that name go.
 */
export async function removeOlder(name: string, newest: string): Promise<void> {
    const folder = path.dirname(newest);
    for (const file of await readdir(folder)) {
        if (isVersionOf(name, file) && file !== path.basename(newest)) {
            await rm(path.join(folder, file), { recursive: true, force: true });
        }
    }
}

const DAY_MILLISECONDS = 24 * 60 * 60 * 1000;

/**
 * Removes versions that were made or used a week ago or earlier: another checkout may use a younger one.
 *
 * @param names of the versions, as `NAME-HASH…`.
 */
export async function removeUnused(names: readonly string[], folder: string): Promise<void> {
    const oldest = Date.now() - 7 * DAY_MILLISECONDS;
    for (const file of await readdir(folder)) {
        const entry = path.join(folder, file);
        if (!names.some((name) => isVersionOf(name, file))) continue;
        if ((await stat(entry)).mtimeMs < oldest) await rm(entry, { recursive: true, force: true });
    }
}

/** Also of what a killed run has left of one. */
export function isVersionOf(name: string, file: string): boolean {
    return new RegExp(`^${name}-[0-9a-f]{12}(\\.|$)`).test(file);
}
