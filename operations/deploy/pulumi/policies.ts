import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { policiesOf, policyFileOf, policyInputsOf } from "../../../policies/stacks.ts";
import { PROGRAM } from "../../stack/program.ts";

/** Flags that run the policy pack with the stack's configuration of its rules. */
export function policyFlags(stack: string): readonly string[] {
    const pack = path.join(PROGRAM, "policies");
    return ["--policy-pack", pack, "--policy-pack-config", fileFor(stack)];
}

/** The checkout's file if it has the whole configuration, else a generated one. */
function fileFor(stack: string): string {
    const inputs = policyInputsOf(stack);
    const known = policyFileOf(stack, inputs);
    if (known !== undefined) return known;
    const file = path.join(mkdtempSync(path.join(tmpdir(), "policies-")), `${stack}.json`);
    writeFileSync(file, JSON.stringify(policiesOf(stack, inputs)));
    return file;
}
