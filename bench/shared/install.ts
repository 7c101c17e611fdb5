import { userCacheFolder } from "@property-search/contract";
import { existsSync, writeFileSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import path from "node:path";

import { BenchError } from "./benchError.ts";
import { runOrThrow } from "./runToEnd.ts";

/** Installed peers and generators: one directory for each version. */
const INSTALLED = path.join(userCacheFolder(), "property-search", "bench");

/**
 * Fills a directory once. An interrupted or failed attempt starts again from an empty directory: a Python
 * environment contains its own path, so it cannot be built elsewhere and renamed.
 *
 * @returns the directory
 */
export async function installOnce(
    name: string,
    fill: (folder: string) => Promise<void>,
): Promise<string> {
    const folder = path.join(INSTALLED, name);
    const marker = path.join(folder, ".installed");
    if (existsSync(marker)) return folder;
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder, { recursive: true });
    await fill(folder);
    writeFileSync(marker, "");
    return folder;
}

/** Installs a Debian package if its program is missing, without starting its services. */
export async function installDebianPackage(program: string, package_: string): Promise<void> {
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
