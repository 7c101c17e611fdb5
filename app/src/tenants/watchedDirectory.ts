import { readFileSync, statSync } from "node:fs";

import { parseTenants, TenantsError } from "@property-search/contract";

import { tokenErrors, type PortToken } from "../distinctTokens.ts";
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
 * @param tokens values that no API key may have
 * @throws TenantsError, Error if the first read fails
 */
export function watchTenantDirectory(
    path: string,
    tokens: readonly PortToken[],
    log: Log,
): WatchedDirectory {
    let lastStamp = readStamp(path);
    let current = readDirectory(path, tokens);
    const timer = setInterval(() => {
        try {
            const stamp = readStamp(path);
            if (stamp === lastStamp) return;
            lastStamp = stamp;
            current = readDirectory(path, tokens);
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

function readDirectory(path: string, tokens: readonly PortToken[]): TenantDirectory {
    const tenants = parseTenants(readFileSync(path, "utf8"));
    const errors = tokenErrors(tenants, tokens);
    if (errors.length > 0) throw new TenantsError(errors);
    return createTenantDirectory(tenants);
}

function readStamp(path: string): string {
    const { mtimeMs, ino, size } = statSync(path);
    return `${mtimeMs} ${ino} ${size}`;
}
