import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { Scalar, stringify } from "yaml";
import { GROUPS, textOf } from "./settings/index.ts";
import { declaredType, describe, type ProgramRow } from "./settings/row.ts";

const FILE = path.resolve(import.meta.dirname, "../Pulumi.yaml");
const WIDTH = 120;

/** @returns Pulumi.yaml with the config that the rows of all settings declare. */
export function withConfig(projectFile: string): string {
    const [head = ""] = projectFile.split(/(?<=^config:\n)/m);
    return head + Object.values(GROUPS).map(declare).join("\n");
}

function declare(rows: Readonly<Record<string, ProgramRow>>): string {
    const declared = Object.entries(rows).map(([key, row]) => {
        const type = declaredType(row);
        const items = row.items && { items: { type: row.items } };
        const description = Object.assign(new Scalar(describe(row)), { type: Scalar.BLOCK_FOLDED });
        const value = type === "string" ? textOf(row.default) : row.default;
        return [`["${key}"]`, { type, ...items, description, default: value }];
    });
    const text = stringify(Object.fromEntries(declared), { indent: 4, lineWidth: WIDTH - 4 });
    return text.replace(/^(?=.)/gm, "    ");
}

if (import.meta.main) writeFileSync(FILE, withConfig(readFileSync(FILE, "utf8")));
