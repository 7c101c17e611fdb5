import { invalidValue } from "@property-search/contract";
import { accessSync, constants, statSync } from "node:fs";
import path from "node:path";
import { text } from "node:stream/consumers";
import { ClusterError } from "../cluster/connect.ts";

/** For a command line: a file that is read, checked before a cluster is asked for. `name` is its variable. */
export const inputFile =
    (name: string) =>
    (file: string): string => {
        if (file !== "" && isFolder(file) === false && may(file, constants.R_OK)) return file;
        throw invalidValue(name, file, "a file that exists and can be read");
    };

/** For a command line: a file that is written, checked before there is anything to lose. */
export const outputFile =
    (name: string) =>
    (file: string): string => {
        const folder = path.dirname(path.resolve(file));
        if (file !== "" && isFolder(file) !== true && may(folder, constants.W_OK)) return file;
        throw invalidValue(name, file, "a file in a folder that exists and can be written to");
    };

/**
 * A secret's value, which no command line is to show.
 *
 * @param command that it is for
 */
export async function standardInput(command: string): Promise<string> {
    if (process.stdin.isTTY) {
        throw new ClusterError(`the value comes by standard input: ${command} STACK=… < file`);
    }
    return (await text(process.stdin)).trim();
}

/** @returns undefined where there is nothing */
function isFolder(file: string): boolean | undefined {
    return statSync(file, { throwIfNoEntry: false })?.isDirectory();
}

function may(file: string, mode: number): boolean {
    try {
        accessSync(file, mode);
        return true;
    } catch {
        return false;
    }
}
