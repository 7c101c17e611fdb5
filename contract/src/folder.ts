import { accessSync, constants, mkdirSync, statSync } from "node:fs";
import path from "node:path";

import { invalidValue } from "./userError.ts";

/**
 * Makes the folder of an option, and those above it. Node's recursive mkdir does not end below /proc.
 *
 * @param name of the option
 * @param folder absolute path
 * @throws UserError if it cannot be made or written
 */
export function makeFolder(name: string, folder: string): void {
    try {
        make(folder);
        accessSync(folder, constants.W_OK);
    } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        throw invalidValue(name, folder, "a folder that can be written", ` (${reason})`);
    }
}

function make(folder: string): void {
    if (statSync(folder, { throwIfNoEntry: false })?.isDirectory()) return;
    make(path.dirname(folder));
    mkdirSync(folder);
}
