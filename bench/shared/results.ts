import { mkdirSync } from "node:fs";
import path from "node:path";

import { replaceFile } from "./replaceFile.ts";

const FOLDER = path.resolve(import.meta.dirname, "../results");

/** @returns the path of a benchmark's JSON result */
export function resultFile(name: string): string {
    return path.join(FOLDER, `${name}.json`);
}

/** Writes a result atomically. @returns its path, relative to the working directory */
export function writeResult(result: { readonly name: string }, name = result.name): string {
    const file = resultFile(name);
    mkdirSync(FOLDER, { recursive: true });
    replaceFile(file, `${JSON.stringify(result, undefined, 2)}\n`);
    return path.relative(process.cwd(), file);
}
