import { SERVICE_SETTINGS, type Setting } from "@property-search/contract/settings";
import * as pulumi from "@pulumi/pulumi";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { loadConfig } from "../config.ts";
import { declarations } from "./declarations.ts";
import { ConfigReader } from "./reader.ts";

const PROJECT = "property-search";
const FILE = path.resolve(import.meta.dirname, "../Pulumi.yaml");
const WIDTH = 120;
const INDENT = " ".repeat(12);
/** The declaration of a key, up to its last line that is not blank. */
const DECLARATION = /^ {4}'\["(?<key>[^"]+)"\]':\n(?: {8,}\S.*\n)+/gm;
const DESCRIPTION = /^ {8}description: (?:>-\n(?: {12}.*\n)+|.*\n)/m;

/**
 * @returns Pulumi.yaml with the service's settings as their rows have them, a new one after the row before it, and
 * with what the program allows in the descriptions of all other keys.
 */
export function writtenFromSettings(projectFile: string): string {
    const known = knownKeys();
    return withServiceSettings(projectFile).replace(DECLARATION, (declaration, key: string) => {
        const words = known.get(key) ?? "";
        if (words === "" || ROWS.some((row) => row.key === key)) return declaration;
        const [text = ""] = declarations().get(key)?.description.split(" Allowed: ") ?? [];
        return declaration.replace(DESCRIPTION, () => describe(`${text} Allowed: ${words}.`));
    });
}

const ROWS = Object.values<Setting>(SERVICE_SETTINGS);

function withServiceSettings(projectFile: string): string {
    let text = projectFile;
    let end = 0;
    for (const row of ROWS) {
        if (row.key === undefined) continue;
        const old = [...text.matchAll(DECLARATION)].find(({ groups }) => groups?.key === row.key);
        const start = old?.index ?? end;
        const declared =
            `    '["${row.key}"]':\n        type: ${row.type}\n` +
            describe(`${row.description} Allowed: ${row.words}.`) +
            `        default: ${JSON.stringify(row.default)}\n`;
        text = text.slice(0, start) + declared + text.slice(start + (old?.[0].length ?? 0));
        end = start + declared.length;
    }
    return text;
}

/** Keys that the program reads, with what it allows; a config of defaults alone has errors, which do not matter. */
function knownKeys(): ReadonlyMap<string, string> {
    const defaults = [...declarations()].map(([key, { text }]) => [`${PROJECT}:${key}`, text]);
    pulumi.runtime.setAllConfig(Object.fromEntries(defaults) as Record<string, string>);
    const read = new ConfigReader(new pulumi.Config(PROJECT));
    try {
        loadConfig(read);
    } catch (error) {
        if (!pulumi.RunError.isInstance(error)) throw error;
    } finally {
        pulumi.runtime.setAllConfig({});
    }
    return read.known;
}

/** On one line where it fits. */
function describe(text: string): string {
    const line = `        description: ${JSON.stringify(text)}\n`;
    if (line.length <= WIDTH + 1) return line;
    const lines = text.match(new RegExp(`.{1,${WIDTH - INDENT.length}}(?= |$)`, "g")) ?? [];
    return ["        description: >-", ...lines.map((one) => INDENT + one.trimStart()), ""].join(
        "\n",
    );
}

if (import.meta.main) writeFileSync(FILE, writtenFromSettings(readFileSync(FILE, "utf8")));
