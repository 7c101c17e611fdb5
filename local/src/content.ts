import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import path from "node:path";
import { acquireFileLock } from "@property-search/operations/stack/fileLock.ts";

/** Twelve hex digits over texts, each with its length, so that no two lists give the same. */
export function digest(...parts: readonly (string | Buffer)[]): string {
    const hash = createHash("sha256");
    for (const part of parts) hash.update(`${Buffer.byteLength(part)}:`).update(part);
    return hash.digest("hex").slice(0, 12);
}

/**
 * Digest over the names and contents of files and folders, in a fixed order.
 *
 * @param except names of folders that do not count.
 */
export async function digestFiles(
    paths: readonly string[],
    except: readonly string[] = ["node_modules"],
): Promise<string> {
    const parts: (string | Buffer)[] = [];
    for (const root of [...paths].sort()) {
        // Names from the root on: what one checkout has made serves another one.
        for (const file of (await listFiles(root, except)).sort()) {
            parts.push(path.relative(path.dirname(root), file), await readFile(file));
        }
    }
    return digest(...parts);
}

async function listFiles(root: string, except: readonly string[]): Promise<string[]> {
    if (!(await stat(root)).isDirectory()) return [root];
    const entries = await readdir(root, { withFileTypes: true });
    const below = entries
        .filter((entry) => entry.isFile() || !except.includes(entry.name))
        .map((entry) => listFiles(path.join(root, entry.name), except));
    return (await Promise.all(below)).flat();
}

/** A build of half an hour under load, and the same again as margin. */
const MAX_MILLISECONDS = 3_600_000;

/**
 * Makes a file or folder, unless it exists. A process waits while another one makes the same.
 *
 * @returns whether it had to be made.
 */
export async function makeOnce(target: string, make: () => Promise<void>): Promise<boolean> {
    if (existsSync(target)) return false;
    const release = await acquireFileLock(
        `${target}.lock`,
        `a command that makes ${path.basename(target)}`,
        { waitMilliseconds: MAX_MILLISECONDS },
    );
    try {
        if (existsSync(target)) return false;
        await make();
        return true;
    } finally {
        await release();
    }
}

/**
 * Makes a folder once: `make` fills a temporary one, which gets its name only when it is whole, so that
 * an interruption leaves nothing half.
 *
 * @returns whether it had to be made.
 */
export function once(folder: string, make: (temporary: string) => Promise<void>): Promise<boolean> {
    return makeOnce(folder, async () => {
        const temporary = `${folder}.partial`;
        await rm(temporary, { recursive: true, force: true });
        await mkdir(temporary, { recursive: true });
        await make(temporary);
        await rename(temporary, folder);
    });
}
