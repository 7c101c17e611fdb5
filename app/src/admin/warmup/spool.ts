import { createReadStream, createWriteStream } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
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

/** Consumes the lines. On an error of theirs nothing is left behind. */
export async function spool(lines: AsyncIterable<Line>): Promise<Spool> {
    const folder = await mkdtemp(join(tmpdir(), "warmup-"));
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
