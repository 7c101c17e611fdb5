import { readFileSync, statSync } from "node:fs";

import { parseTenants } from "@property-search/contract";

import type { Log } from "../log.ts";
import { directory, type Directory } from "./tenantDirectory.ts";

export interface WatchedDirectory {
    readonly now: () => Directory;
    readonly stop: () => void;
}

const POLL_MILLISECONDS = 5_000;

/**
 * A tenants file that is reloaded when it changes. A mounted Secret changes by a swap of symbolic links,
 * which file watchers miss, so the file is polled. An invalid file changes nothing.
 *
 * @throws TenantsError, Error if the first read fails
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
            log.info("The tenants file was reloaded");
        } catch (error) {
            log.error(
                { error: String(error) },
                "The new tenants file is invalid: the previous one stays in force",
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
