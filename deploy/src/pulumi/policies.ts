import path from "node:path";
import { policyFileOf } from "../../../policies/stacks.ts";
import { PROGRAM } from "../render.ts";

/** By which the CLI asks the policy pack, with what holds for the stack of its rules. */
export function policyFlags(stack: string): readonly string[] {
    const pack = path.join(PROGRAM, "policies");
    return ["--policy-pack", pack, "--policy-pack-config", policyFileOf(stack)];
}
