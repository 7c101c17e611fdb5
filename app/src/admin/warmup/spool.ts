import { createReadStream, createWriteStream } from "node:fs";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { pipeline } from "node:stream/promises";
import { createZstdCompress, createZstdDecompress } from "node:zlib";

import type { Line } from "./texts.ts";

/** Compressed texts on disk, so that a job outlives the connection of its upload. */
export interface Spool {
    readonly read: () => AsyncIterable<Line>;
    readonly remove: () => Promise<void>;
}

/** Spools are named after their process, so that several instances can share a temporary directory. */
const ownPrefix = (): string => `warmup-${process.pid}-`;

/**
 * Removes the spools of processes that were killed. A container's main process always has the same PID, so
 * spools with the own PID are leftovers until the first spool is created.
 *
 * @param folder the temporary directory
 */
export async function removeAbandonedSpools(folder = tmpdir()): Promise<void> {
    const names = await readdir(folder).catch(() => []);
    const abandoned = names.filter((name) => {
        const pid = Number(/^warmup-(\d+)-/.exec(name)?.[1]);
        return pid > 0 && (pid === process.pid || !isRunning(pid));
    });
    await Promise.all(
        abandoned.map((name) => rm(join(folder, name), { recursive: true, force: true })),
    );
}

function isRunning(pid: number): boolean {
    try {
        return process.kill(pid, 0);
    } catch (error) {
        // EPERM: the process belongs to another user.
        return (error as NodeJS.ErrnoException).code !== "ESRCH";
    }
}

/** Writes the lines to a spool. Removes the spool if reading the lines fails. */
export async function createSpool(lines: AsyncIterable<Line>): Promise<Spool> {
    const folder = await mkdtemp(join(tmpdir(), ownPrefix()));
    const file = join(folder, "texts.zst");
    const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
    try {
        await pipeline(encode(lines), createZstdCompress(), createWriteStream(file));
    } catch (error) {
        await remove();
        throw error;
    }
    return { read: () => decode(file), remove };
}

async function* encode(lines: AsyncIterable<Line>): AsyncGenerator<string, void> {
    for await (const { line, text } of lines) yield `${JSON.stringify([line, text])}\n`;
}

async function* decode(file: string): AsyncGenerator<Line, void> {
    const source = createReadStream(file);
    // Errors of the file reach the reader, and the file is closed if the reader stops early.
    const input = source.pipe(createZstdDecompress());
    source.once("error", (error) => input.destroy(error));
    try {
        for await (const row of createInterface({ input })) {
            const [line, text] = JSON.parse(row) as [number, string];
            yield { line, text };
        }
    } finally {
        source.destroy();
        input.destroy();
    }
}
