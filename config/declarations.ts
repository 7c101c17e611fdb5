import { readFileSync } from "node:fs";
import path from "node:path";
import { parse } from "yaml";

/** A key as Pulumi.yaml declares it. */
export interface Declaration {
    readonly type: "string" | "integer" | "boolean" | "object" | "array";
    /** As the language host hands it to a program: text, or JSON. Undefined: there is none. */
    readonly text: string | undefined;
    readonly description: string;
}

interface Declared {
    readonly type: Declaration["type"];
    readonly default?: unknown;
    readonly description: string;
}

const PROJECT = path.resolve(import.meta.dirname, "../Pulumi.yaml");

let ours: ReadonlyMap<string, Declaration> | undefined;

/** The keys of the project, without its name and without the brackets that make each a plain one. Read once. */
export function declarations(): ReadonlyMap<string, Declaration> {
    return (ours ??= declarationsIn(PROJECT));
}

function declarationsIn(file: string): ReadonlyMap<string, Declaration> {
    const { config } = parse(readFileSync(file, "utf8")) as { config: Record<string, Declared> };
    return new Map(
        Object.entries(config).map(([key, { type, description, default: value }]) => [
            /^\["(.+)"\]$/.exec(key)?.[1] ?? key,
            { type, text: textOf(value), description },
        ]),
    );
}

function textOf(value: unknown): string | undefined {
    return value === undefined || typeof value === "string" ? value : JSON.stringify(value);
}
