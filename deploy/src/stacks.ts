import { suggestion } from "@property-search/contract";
import { readdirSync } from "node:fs";
import { ClusterError } from "./apply/cluster.ts";
import { PROGRAM } from "./render.ts";

const FILE = /^Pulumi\.(?<stack>.+)\.yaml$/;

/** Stacks of the checkout: those with a config file. */
export function stackNames(folder = PROGRAM): readonly string[] {
    return readdirSync(folder)
        .flatMap((name) => FILE.exec(name)?.groups?.stack ?? [])
        .toSorted();
}

/** @throws ClusterError for a stack without a config file; it names those that have one. */
export function requireStack(stack: string, folder = PROGRAM): void {
    const known = stackNames(folder);
    if (known.includes(stack)) return;
    const hint = suggestion(stack, known);
    throw new ClusterError(
        `STACK is "${stack}"; allowed: ${known.join(", ")}${hint}. ` +
            `A new stack begins with its config file, Pulumi.${stack}.yaml.`,
    );
}

/** For a command line: the name of a stack that there is. */
export function readStack(stack: string): string {
    requireStack(stack);
    return stack;
}
