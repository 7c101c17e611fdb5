import { readFileSync } from "node:fs";
import path from "node:path";
import { ROOT } from "./commands.ts";

interface Target {
    readonly recipe: string;
    /** After `##`; undefined for a target that `make help` does not list. */
    readonly help: string | undefined;
}

/** The Makefile's targets, and what its variables are defined as. */
export function readMakefile(): {
    readonly targets: ReadonlyMap<string, Target>;
    readonly variablesOf: (target: string) => ReadonlySet<string>;
} {
    const text = readFileSync(path.join(ROOT, "Makefile"), "utf8").replaceAll("\\\n", " ");
    const targets = new Map<string, Target>();
    const definitions = new Map<string, string>();
    for (const [, name = "", value = ""] of text.matchAll(/^([A-Z_a-z]+) *[?:]?= *(.*)$/gm)) {
        definitions.set(name, value);
    }
    for (const [, name = "", head = "", recipe = ""] of text.matchAll(
        /^([a-z][a-z-]*):(?!=)(.*)\n((?:\t.*\n?)*)/gm,
    )) {
        const known = targets.get(name);
        targets.set(name, {
            recipe: `${known?.recipe ?? ""}${head.split("##")[0] ?? ""}\n${recipe}`,
            help: head.split("## ")[1] ?? known?.help,
        });
    }

    /** Variables that a text refers to, also through the definitions of others. */
    const variablesIn = (part: string, known = new Set<string>()): Set<string> => {
        for (const [name] of part.matchAll(
            /(?<=\$[({])[A-Z_]+\b|(?<=\$\(origin )[A-Z_]+\b|(?<=[ (,$])[A-Z_]{2,}(?=[),])/g,
        )) {
            if (known.has(name)) continue;
            known.add(name);
            variablesIn(definitions.get(name) ?? "", known);
        }
        return known;
    };
    const variablesOf = (target: string, seen = new Set<string>()): Set<string> => {
        const { recipe = "" } = targets.get(target) ?? {};
        seen.add(target);
        const prerequisites = (recipe.split("\n")[0] ?? "").match(/\b[a-z][a-z-]+\b/g) ?? [];
        const inherited = prerequisites
            .filter((name) => targets.has(name) && !seen.has(name))
            .flatMap((name) => [...variablesOf(name, seen)]);
        const exported = recipe.match(/(?<=export )[A-Z]+/g) ?? [];
        return new Set([...variablesIn(recipe), ...exported, ...inherited]);
    };
    return { targets, variablesOf: (target) => variablesOf(target) };
}
