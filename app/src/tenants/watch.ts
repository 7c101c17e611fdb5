import { readFileSync, statSync } from "node:fs";

import { parseTenants } from "@property-search/contract";

import type { Log } from "../log.ts";
import { directory, type Directory } from "./directory.ts";

export interface WatchedDirectory {
    readonly now: () => Directory;
    readonly stop: () => void;
}

const POLL_MILLISECONDS = 5_000;

/**
 * A file of tenants that is read again when it changes. A mounted Secret changes by a swap of links, which
 * file watchers miss, so it is looked at every few seconds. A file that is wrong changes nothing.
 *
 * @throws TenantsError, Error when the first reading fails
 */
export function watchedDirectory(path: string, log: Log): WatchedDirectory {
    let seen = stampOf(path);
    let current = read(path);
    const timer = setInterval(() => {
        try {
            const stamp = stampOf(path);
            if (stamp === seen) return;
            seen = stamp;
            current = read(path);
            log.info("The file of tenants was read anew");
        } catch (error) {
            log.error(
                { error: String(error) },
                "The new file of tenants is wrong: the old one holds",
            );
        }
    }, POLL_MILLISECONDS).unref();
    return { now: () => current, stop: () => clearInterval(timer) };
}

function read(path: string): Directory {
    return directory(parseTenants(readFileSync(path, "utf8")));
}

function stampOf(path: string): string {
    const { mtimeMs, ino, size } = statSync(path);
    return `${mtimeMs} ${ino} ${size}`;
}
