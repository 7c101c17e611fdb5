import { invalidValue } from "@property-search/contract";
import { accessSync, constants, statSync } from "node:fs";
import path from "node:path";
import { text } from "node:stream/consumers";
import { ClusterError } from "../cluster/connect.ts";

/** Parses the path of an input file and checks it before a cluster is contacted. `name` is its variable. */
export const parseInputFile =
    (name: string) =>
    (file: string): string => {
        if (file !== "" && isDirectory(file) === false && isAccessible(file, constants.R_OK))
            return file;
        throw invalidValue(name, file, "a file that exists and can be read");
    };

/** Parses the path of an output file and checks that it can be written before anything is changed. */
export const parseOutputFile =
    (name: string) =>
    (file: string): string => {
        const folder = path.dirname(path.resolve(file));
        if (file !== "" && isDirectory(file) !== true && isAccessible(folder, constants.W_OK))
            return file;
        throw invalidValue(name, file, "a file in a folder that exists and can be written to");
    };

/**
 * Reads a secret's value from standard input, so that no command line shows it.
 *
 * @param command shown in the error message
 */
export async function readStandardInput(command: string): Promise<string> {
    if (process.stdin.isTTY) {
        throw new ClusterError(
            `the value must come from standard input: ${command} STACK=… < file`,
        );
    }
    return (await text(process.stdin)).trim();
}

/** @returns undefined if the path does not exist */
function isDirectory(file: string): boolean | undefined {
    return statSync(file, { throwIfNoEntry: false })?.isDirectory();
}

function isAccessible(file: string, mode: number): boolean {
    try {
        accessSync(file, mode);
        return true;
    } catch {
        return false;
    }
}
