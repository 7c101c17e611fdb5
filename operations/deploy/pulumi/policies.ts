import { writeFileSync } from "node:fs";
import path from "node:path";
import { readStackPolicies, findPolicyFile, readPolicyInputs } from "../../../policies/stacks.ts";
import { processFile } from "../../stack/processFiles.ts";
import { PROGRAM_FOLDER } from "../../stack/program.ts";

/**
 * Flags that run the policy pack with the stack's configuration of its rules.
 *
 * @param folder for a generated configuration
 */
export function policyFlags(stack: string, folder: string): readonly string[] {
    const pack = path.join(PROGRAM_FOLDER, "policies");
    return ["--policy-pack", pack, "--policy-pack-config", fileFor(stack, folder)];
}

/** The checkout's file if it has the whole configuration, else a generated one. */
function fileFor(stack: string, folder: string): string {
    const inputs = readPolicyInputs(stack);
    const known = findPolicyFile(stack, inputs);
    if (known !== undefined) return known;
    const file = processFile(path.join(folder, `policies-${stack}.json`));
    writeFileSync(file, JSON.stringify(readStackPolicies(stack, inputs)));
    return file;
}
