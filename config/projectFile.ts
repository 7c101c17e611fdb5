import { SERVICE_SETTINGS, type Setting } from "@property-search/contract/settings";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";

const FILE = path.resolve(import.meta.dirname, "../Pulumi.yaml");
const WIDTH = 120;
const INDENT = " ".repeat(12);
/** The declaration of a key, up to its last line that is not blank. */
const DECLARATION = /^ {4}'\["(?<key>[^"]+)"\]':\n(?: {8,}\S.*\n)+/gm;

/** @returns Pulumi.yaml with the service's settings as their rows have them; a new one follows the row before it. */
export function withServiceSettings(projectFile: string): string {
    let text = projectFile;
    let end = 0;
    for (const setting of Object.values<Setting>(SERVICE_SETTINGS)) {
        if (setting.key === undefined) continue;
        const old = [...text.matchAll(DECLARATION)].find(
            ({ groups }) => groups?.key === setting.key,
        );
        const start = old?.index ?? end;
        const declared = declarationOf(setting.key, setting);
        text = text.slice(0, start) + declared + text.slice(start + (old?.[0].length ?? 0));
        end = start + declared.length;
    }
    return text;
}

function declarationOf(key: string, { type, words, description, default: value }: Setting): string {
    const text = `${description} Allowed: ${words}.`;
    const line = `        description: ${JSON.stringify(text)}`;
    const lines = [
        `    '["${key}"]':`,
        `        type: ${type}`,
        ...(line.length <= WIDTH ? [line] : ["        description: >-", ...wrapped(text)]),
        `        default: ${JSON.stringify(value)}`,
    ];
    return `${lines.join("\n")}\n`;
}

function wrapped(text: string): readonly string[] {
    const lines = text.match(new RegExp(`.{1,${WIDTH - INDENT.length}}(?= |$)`, "g")) ?? [];
    return lines.map((line) => INDENT + line.trimStart());
}

if (import.meta.main) writeFileSync(FILE, withServiceSettings(readFileSync(FILE, "utf8")));
