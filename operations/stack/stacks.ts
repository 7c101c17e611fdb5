import { invalidValue, suggestNearest } from "@property-search/contract";
import { readdirSync } from "node:fs";
import { PROGRAM_FOLDER } from "./program.ts";

const FILE = /^Pulumi\.(?<stack>.+)\.yaml$/;

/** Stacks of the checkout, which are those with a config file. */
export function stackNames(folder = PROGRAM_FOLDER): readonly string[] {
    return readdirSync(folder)
        .flatMap((name) => FILE.exec(name)?.groups?.stack ?? [])
        .toSorted();
}

/** @throws UserError for a stack without a config file, with the existing stacks */
export function requireStack(stack: string, folder = PROGRAM_FOLDER): void {
    const known = stackNames(folder);
    if (known.includes(stack)) return;
    const isName = /^[A-Za-z0-9_.-]+$/.test(stack) && !stack.startsWith(".");
    const begins = isName ? `. To add a stack, create its config file Pulumi.${stack}.yaml.` : "";
    throw invalidValue("STACK", stack, known.join(", "), suggestNearest(stack, known) + begins);
}

/** Parses the name of an existing stack. */
export function readStack(stack: string): string {
    requireStack(stack);
    return stack;
}

/** Requires the stack of a command without a default. @throws UserError if it is missing */
export function requireStackName(stack: string | undefined): string {
    return readStack(stack ?? "");
}
