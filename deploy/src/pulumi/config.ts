import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { parse, parseDocument } from "yaml";
import { PROGRAM } from "../render.ts";
import { completeSecrets, type Secrets } from "../secrets.ts";
import { readConfig } from "./stackFile.ts";

/**
 * The copy follows the stack's file in everything but what only the copy has: the salt of its
 * passphrase and the values encrypted with it.
 */
export async function refreshCopy(stack: string, copy: string): Promise<void> {
    const own = parseDocument(await readFile(path.join(PROGRAM, `Pulumi.${stack}.yaml`), "utf8"));
    if (existsSync(copy)) {
        const before = parse(await readFile(copy, "utf8")) as CopiedConfig;
        if (before.encryptionsalt) own.set("encryptionsalt", before.encryptionsalt);
        for (const [key, value] of Object.entries(before.config ?? {})) {
            if (typeof value === "object" && "secure" in value) own.setIn(["config", key], value);
        }
    }
    await writeFile(copy, own.toString(), { mode: 0o600 });
}

interface CopiedConfig {
    encryptionsalt?: string;
    config?: Record<string, string | { secure?: string }>;
}

/**
 * Gives the stack's config each generated secret that it lacks: a known one, else a new one. Which it has
 * is read from the file: as long as one is missing, `pulumi config get` gives none of the others.
 */
export async function storeSecrets(
    configFile: string,
    knownSecrets: Secrets,
    report: (line: string) => void,
    write: (key: string, value: string) => Promise<void>,
): Promise<void> {
    const { secrets } = completeSecrets(knownSecrets);
    for (const [key, value] of Object.entries(secrets)) {
        if ((await readConfig(configFile, key)) !== undefined) continue;
        await write(key, value);
        report(`stored the secret ${key} in the stack's config, encrypted`);
    }
}
