import { invalidValue, suggestNearest } from "@property-search/contract";
import { readdirSync } from "node:fs";
import { PROGRAM } from "./program.ts";

const FILE = /^Pulumi\.(?<stack>.+)\.yaml$/;

/** Stacks of the checkout: those with a config file. */
export function stackNames(folder = PROGRAM): readonly string[] {
    return readdirSync(folder)
        .flatMap((name) => FILE.exec(name)?.groups?.stack ?? [])
        .toSorted();
}

/** @throws UserError for a stack without a config file; it names those that have one. */
export function requireStack(stack: string, folder = PROGRAM): void {
    const known = stackNames(folder);
    if (known.includes(stack)) return;
    const isName = /^[A-Za-z0-9_.-]+$/.test(stack) && !stack.startsWith(".");
    const begins = isName ? `. A new stack begins with its config file, Pulumi.${stack}.yaml.` : "";
    throw invalidValue("STACK", stack, known.join(", "), suggestNearest(stack, known) + begins);
}

/** For a command line: the name of a stack that there is. */
export function readStack(stack: string): string {
    requireStack(stack);
    return stack;
}

/** For a command that has no default stack. @throws UserError where none is given */
export function requireGiven(stack: string | undefined): string {
    return readStack(stack ?? "");
}
