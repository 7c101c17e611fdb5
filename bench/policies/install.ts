import { execFile } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { homedir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { BenchError } from "./peer.ts";

const CACHE = process.env.XDG_CACHE_HOME ?? path.join(homedir(), ".cache");
/** Peers that were got once: one folder a version. */
const INSTALLED = path.join(CACHE, "property-search", "policies");

/**
 * Makes a folder once; an interrupted or failed attempt is made again from nothing. A Python environment
 * knows its own path, so that the folder cannot be made elsewhere and renamed.
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

/** @throws BenchError with the end of what the command printed */
export async function command(name: string, args: readonly string[], cwd?: string): Promise<void> {
    await promisify(execFile)(name, args, { cwd, maxBuffer: 2 ** 26 }).catch((error: unknown) => {
        const { code, stdout, stderr } = error as { code: unknown; stdout: string; stderr: string };
        const said = `${stdout}${stderr}`.trimEnd().slice(-600);
        const why = code === "ENOENT" ? `${name} is not installed` : said;
        throw new BenchError(`${name} ${args.slice(0, 3).join(" ")}: ${why}`, { cause: error });
    });
}
