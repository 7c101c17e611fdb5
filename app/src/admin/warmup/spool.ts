import { createReadStream, createWriteStream } from "node:fs";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { pipeline } from "node:stream/promises";
import { createZstdCompress, createZstdDecompress } from "node:zlib";

import type { Line } from "./texts.ts";

/** Texts on disk, compressed, so that a job outlives the connection that brought them. */
export interface Spool {
    readonly read: () => AsyncIterable<Line>;
    readonly remove: () => Promise<void>;
}

/** Spools name the process that reads them, so that several instances can share a temporary folder. */
const ownPrefix = (): string => `warmup-${process.pid}-`;

/**
 * Removes the spools of processes that were killed. A container's process always has the same number, so
 * spools of this number are of an earlier life until the first is made.
 *
 * @param folder the temporary folder.
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
        // EPERM: another user's process.
        return (error as NodeJS.ErrnoException).code !== "ESRCH";
    }
}

/** Consumes the lines. On an error of theirs nothing is left behind. */
export async function spool(lines: AsyncIterable<Line>): Promise<Spool> {
    const folder = await mkdtemp(join(tmpdir(), ownPrefix()));
    const file = join(folder, "texts.zst");
    const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
    try {
        await pipeline(encoded(lines), createZstdCompress(), createWriteStream(file));
    } catch (error) {
        await remove();
        throw error;
    }
    return { read: () => decoded(file), remove };
}

async function* encoded(lines: AsyncIterable<Line>): AsyncGenerator<string, void> {
    for await (const { line, text } of lines) yield `${JSON.stringify([line, text])}\n`;
}

async function* decoded(file: string): AsyncGenerator<Line, void> {
    const source = createReadStream(file);
    // An error of the file reaches who reads the rows, and who reads no further closes the file.
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
