import { readFileSync, statSync } from "node:fs";

import { parseTenants } from "@property-search/contract";

import type { Log } from "../log.ts";
import { createTenantDirectory, type TenantDirectory } from "./tenantDirectory.ts";

export interface WatchedDirectory {
    readonly current: () => TenantDirectory;
    readonly stop: () => void;
}

const POLL_MILLISECONDS = 5_000;

/**
 * A tenants file that is reloaded when it changes. A mounted Secret changes by a swap of symbolic links,
 * which file watchers miss, so the file is polled. An invalid file changes nothing.
 *
 * @throws TenantsError, Error if the first read fails
 */
export function watchTenantDirectory(path: string, log: Log): WatchedDirectory {
    let lastStamp = readStamp(path);
    let current = readDirectory(path);
    const timer = setInterval(() => {
        try {
            const stamp = readStamp(path);
            if (stamp === lastStamp) return;
            lastStamp = stamp;
            current = readDirectory(path);
            log.info("The tenants file was reloaded");
        } catch (error) {
            log.error(
                { error: String(error) },
                "The new tenants file is invalid: the previous one stays in force",
            );
        }
    }, POLL_MILLISECONDS).unref();
    return { current: () => current, stop: () => clearInterval(timer) };
}

function readDirectory(path: string): TenantDirectory {
    return createTenantDirectory(parseTenants(readFileSync(path, "utf8")));
}

function readStamp(path: string): string {
    const { mtimeMs, ino, size } = statSync(path);
    return `${mtimeMs} ${ino} ${size}`;
}
