import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { policiesOf, policyFileOf, policyInputsOf } from "../../../policies/stacks.ts";
import { PROGRAM } from "../../stack/program.ts";

/** By which the CLI asks the policy pack, with what holds for the stack of its rules. */
export function policyFlags(stack: string): readonly string[] {
    const pack = path.join(PROGRAM, "policies");
    return ["--policy-pack", pack, "--policy-pack-config", fileFor(stack)];
}

/** A file of the checkout where one says all of it, else one with what holds for the stack. */
function fileFor(stack: string): string {
    const inputs = policyInputsOf(stack);
    const known = policyFileOf(stack, inputs);
    if (known !== undefined) return known;
    const file = path.join(mkdtempSync(path.join(tmpdir(), "policies-")), `${stack}.json`);
    writeFileSync(file, JSON.stringify(policiesOf(stack, inputs)));
    return file;
}
