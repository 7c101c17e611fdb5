import { execa } from "execa";
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import path from "node:path";

/** Folder of the file backend, under the folder of state. */
const BACKEND = "backend";

export interface Backend {
    /** What the CLI has to be told of it, by environment. */
    readonly settings: Readonly<Record<string, string>>;
    /** Folder of a backend of files; undefined for one that is elsewhere. */
    readonly folder: string | undefined;
}

/** The user's backend if there is one; otherwise a file backend with a passphrase, both made once. */
export async function backend(
    stateFolder: string,
    report: (line: string) => void,
): Promise<Backend> {
    const given = process.env.PULUMI_BACKEND_URL;
    if (given ?? process.env.PULUMI_ACCESS_TOKEN) return { settings: {}, folder: folderOf(given) };
    const who = await execa("pulumi", ["whoami", "--json", "--non-interactive"], { reject: false });
    if (who.exitCode === 0) {
        const { url } = JSON.parse(who.stdout) as { url?: string };
        return { settings: {}, folder: folderOf(url) };
    }
    const folder = path.join(stateFolder, BACKEND);
    const passphrase = path.join(stateFolder, "passphrase");
    await mkdir(folder, { recursive: true, mode: 0o700 });
    if (!existsSync(passphrase)) {
        await writeFile(passphrase, randomBytes(32).toString("base64url"), { mode: 0o600 });
        report(`no Pulumi login found: state is kept in ${folder}, its passphrase beside it`);
    }
    const settings = {
        PULUMI_BACKEND_URL: `file://${folder}`,
        ...(process.env.PULUMI_CONFIG_PASSPHRASE === undefined &&
            process.env.PULUMI_CONFIG_PASSPHRASE_FILE === undefined && {
                PULUMI_CONFIG_PASSPHRASE_FILE: passphrase,
            }),
    };
    return { settings, folder };
}

/** The folder of a backend's URL, such as `file:///srv/state` or `file://~`. */
export function folderOf(url: string | undefined): string | undefined {
    const place = /^file:\/\/(~|\/)(.*)$/.exec(url ?? "");
    if (!place) return undefined;
    const [, root = "", rest = ""] = place;
    return path.join(root === "~" ? homedir() : root, rest);
}
