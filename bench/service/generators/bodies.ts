import { writeFileSync } from "node:fs";
import path from "node:path";

/**
 * Writes request bodies for a generator, one JSON text per line.
 *
 * @returns the file's path
 */
export function writeBodies(folder: string, name: string, bodies: readonly string[]): string {
    const file = path.join(folder, `${name}.ndjson`);
    writeFileSync(file, bodies.map((json) => `${json}\n`).join(""));
    return file;
}
