import { renameSync, writeFileSync } from "node:fs";

/** Writes a file by a rename: a reader finds the old or the new content, and never a part. */
export function replaceFile(file: string, content: string | Uint8Array): void {
    writeFileSync(`${file}.new`, content);
    renameSync(`${file}.new`, file);
}
