import { execa } from "execa";
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import path from "node:path";

/** Folder of the file backend in the state folder. */
const BACKEND = "backend";

export interface Backend {
    /** Environment variables for the CLI. */
    readonly env: Readonly<Record<string, string>>;
    /** Folder of a file backend; undefined for any other backend. */
    readonly folder: string | undefined;
}

/** Selects the user's backend, else a file backend with a passphrase, which are created once. */
export async function resolveBackend(
    stateFolder: string,
    report: (line: string) => void,
): Promise<Backend> {
    const given = process.env.PULUMI_BACKEND_URL;
    if (given ?? process.env.PULUMI_ACCESS_TOKEN) return { env: {}, folder: folderFromUrl(given) };
    const who = await execa("pulumi", ["whoami", "--json", "--non-interactive"], { reject: false });
    if (who.exitCode === 0) {
        const { url } = JSON.parse(who.stdout) as { url?: string };
        return { env: {}, folder: folderFromUrl(url) };
    }
    const folder = path.join(stateFolder, BACKEND);
    const passphrase = path.join(stateFolder, "passphrase");
    await mkdir(folder, { recursive: true, mode: 0o700 });
    if (!existsSync(passphrase)) {
        await writeFile(passphrase, randomBytes(32).toString("base64url"), { mode: 0o600 });
        report(`no Pulumi login found: state is kept in ${folder}, with its passphrase`);
    }
    const env = {
        PULUMI_BACKEND_URL: `file://${folder}`,
        ...(process.env.PULUMI_CONFIG_PASSPHRASE === undefined &&
            process.env.PULUMI_CONFIG_PASSPHRASE_FILE === undefined && {
                PULUMI_CONFIG_PASSPHRASE_FILE: passphrase,
            }),
    };
    return { env, folder };
}

/** Folder of a backend URL such as `file:///srv/state` or `file://~`. */
export function folderFromUrl(url: string | undefined): string | undefined {
    const match = /^file:\/\/(~|\/)(.*)$/.exec(url ?? "");
    if (!match) return undefined;
    const [, root = "", rest = ""] = match;
    return path.join(root === "~" ? homedir() : root, rest);
}
