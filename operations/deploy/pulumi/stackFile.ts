import { readFile, rename, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { isCollection, isMap, parseDocument, type Document } from "yaml";
import { processFile, removeDeadProcessFiles } from "../../stack/processFiles.ts";
import { PROJECT, stackConfigFile } from "./workspace.ts";

/** Values by key without the project's name, such as `blue.image`; undefined removes the key. */
export type ConfigValues = Readonly<Record<string, unknown>>;

/** Writes values into Pulumi.<stack>.yaml of the checkout; the rest of the file stays unchanged. */
export function setStackConfig(stack: string, values: ConfigValues): Promise<void> {
    return setConfig(stackConfigFile(stack), values);
}

/** Keys of a stack's file with its encryption settings. */
export const ENCRYPTION_KEYS = ["encryptionsalt", "encryptedkey", "secretsprovider"] as const;

export type Encryption = Readonly<Partial<Record<(typeof ENCRYPTION_KEYS)[number], string>>>;

/** Reads the encryption settings of a stack's file. */
export async function readEncryption(file: string): Promise<Encryption> {
    const document = parseDocument(await readFile(file, "utf8"));
    const found = ENCRYPTION_KEYS.map((key) => [key, document.get(key)] as const);
    return Object.fromEntries(found.filter(([, value]) => typeof value === "string"));
}

/** Adds missing encryption settings to a stack's file. */
export async function setEncryption(file: string, encryption: Encryption): Promise<void> {
    await editFile(file, (document) => {
        for (const key of ENCRYPTION_KEYS) {
            const value = encryption[key];
            if (value !== undefined && !document.has(key)) document.set(key, value);
        }
    });
}

/** Writes values into a stack's config file atomically. Comments and the order of keys stay. */
export async function setConfig(file: string, values: ConfigValues): Promise<void> {
    await editFile(file, (document) => {
        // An empty `config:` is null and cannot be set into.
        if (!isMap(document.get("config"))) document.delete("config");
        for (const [key, value] of Object.entries(values)) {
            const keyPath = ["config", `${PROJECT}:${key}`];
            if (document.hasIn(["config", key])) document.deleteIn(["config", key]);
            if (value === undefined) document.deleteIn(keyPath);
            else
                document.setIn(keyPath, createNode(document, value, document.getIn(keyPath, true)));
        }
    });
}

async function editFile(file: string, edit: (document: Document) => void): Promise<void> {
    await removeDeadProcessFiles(path.dirname(file), path.basename(file));
    const before = await readFile(file, "utf8");
    const document = parseDocument(before);
    if (document.errors[0]) throw document.errors[0];
    edit(document);
    // Long lines are not wrapped, to keep the file's layout.
    const after = document.toString({ indent: 4, lineWidth: 0 });
    if (after === before) return;
    const draft = processFile(`${file}.new`);
    await writeFile(draft, after, { mode: (await stat(file)).mode });
    await rename(draft, file);
}

/**
 * Creates a list or map in one line, as in stack files, with the comment of the old node. An encrypted value is too long
 * for one line.
 */
function createNode(document: Document, value: unknown, old: unknown): unknown {
    if (typeof value !== "object" || value === null) return value;
    const node = document.createNode(value, { flow: !("secure" in value) });
    if (isCollection(old)) node.comment = old.comment ?? null;
    return node;
}

/** Value of a stack's config file; undefined if it is not set. */
export async function readConfig(file: string, key: string): Promise<unknown> {
    const config: unknown = parseDocument(await readFile(file, "utf8")).get("config");
    if (!isMap(config)) return undefined;
    // Pulumi treats a key without a project as the project's own.
    const value: unknown = config.get(`${PROJECT}:${key}`) ?? config.get(key);
    return isMap(value) ? value.toJSON() : value;
}
