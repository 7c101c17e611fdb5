import { existsSync, writeFileSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { homedir } from "node:os";
import path from "node:path";

import { BenchError } from "./error.ts";
import { runOrThrow } from "./runToEnd.ts";

const CACHE = process.env.XDG_CACHE_HOME ?? path.join(homedir(), ".cache");
/** Peers and generators that were made here once: one folder a version. */
const INSTALLED = path.join(CACHE, "property-search", "bench");

/**
 * Makes a folder once; an interrupted or failed attempt is made again from nothing. A Python
 * environment knows its own path, so that the folder cannot be made elsewhere and renamed.
 *
 * @returns the folder.
 */
export async function once(name: string, make: (folder: string) => Promise<void>): Promise<string> {
    const folder = path.join(INSTALLED, name);
    const marker = path.join(folder, ".installed");
    if (existsSync(marker)) return folder;
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder, { recursive: true });
    await make(folder);
    writeFileSync(marker, "");
    return folder;
}

/** Installs a Debian package when its program is missing, without starting any service of it. */
export async function debian(program: string, package_: string): Promise<void> {
    if (existsSync(program)) return;
    if (process.getuid?.() !== 0 || !existsSync("/usr/bin/apt-get")) {
        throw new BenchError(`${program} is missing; on Debian: apt-get install ${package_}`);
    }
    const env = {
        ...process.env,
        DEBIAN_FRONTEND: "noninteractive",
        RUNLEVEL: "1",
        SYSTEMD_OFFLINE: "1",
    };
    await runOrThrow("apt-get", ["update", "-q"], { env });
    const install = ["install", "-y", "-q", "--no-install-recommends", package_];
    await runOrThrow("apt-get", install, { env });
}
