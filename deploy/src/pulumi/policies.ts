import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { policiesOf, policyFileOf, registryOf } from "../../../policies/stacks.ts";
import { PROGRAM } from "../render.ts";

/** By which the CLI asks the policy pack, with what holds for the stack of its rules. */
export function policyFlags(stack: string): readonly string[] {
    const pack = path.join(PROGRAM, "policies");
    return ["--policy-pack", pack, "--policy-pack-config", fileFor(stack)];
}

/** The stack's own file; of a stack with a registry of its own, that file with this registry. */
function fileFor(stack: string): string {
    const registry = registryOf(stack);
    if (registry === undefined) return policyFileOf(stack);
    const file = path.join(mkdtempSync(path.join(tmpdir(), "policies-")), `${stack}.json`);
    writeFileSync(file, JSON.stringify(policiesOf(stack, registry)));
    return file;
}
