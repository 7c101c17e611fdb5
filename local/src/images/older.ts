import { readdir, rm } from "node:fs/promises";
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

/** Also of what a killed run has left of one. */
export function isVersionOf(name: string, file: string): boolean {
    return new RegExp(`^${name}-[0-9a-f]{12}(\\.|$)`).test(file);
}
