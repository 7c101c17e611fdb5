import { execa } from "execa";
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import path from "node:path";

/** Folder of the file backend, under the folder of state. */
export const BACKEND = "backend";

/** The user's backend if there is one; otherwise a file backend with a passphrase, both made once. */
export async function backend(
    stateFolder: string,
    report: (line: string) => void,
): Promise<Record<string, string>> {
    if (process.env.PULUMI_BACKEND_URL ?? process.env.PULUMI_ACCESS_TOKEN) return {};
    const who = await execa("pulumi", ["whoami", "--non-interactive"], { reject: false });
    if (who.exitCode === 0) return {};
    const folder = path.join(stateFolder, BACKEND);
    const passphrase = path.join(stateFolder, "passphrase");
    await mkdir(folder, { recursive: true, mode: 0o700 });
    if (!existsSync(passphrase)) {
        await writeFile(passphrase, randomBytes(32).toString("base64url"), { mode: 0o600 });
        report(`no Pulumi login found: state is kept in ${folder}, its passphrase beside it`);
    }
    return {
        PULUMI_BACKEND_URL: `file://${folder}`,
        ...(process.env.PULUMI_CONFIG_PASSPHRASE === undefined &&
            process.env.PULUMI_CONFIG_PASSPHRASE_FILE === undefined && {
                PULUMI_CONFIG_PASSPHRASE_FILE: passphrase,
            }),
    };
}
