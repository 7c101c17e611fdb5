import { existsSync } from "node:fs";
import path from "node:path";
import { PROGRAM } from "../render.ts";

const PACK = path.join(PROGRAM, "policies");

/** By which the CLI asks the policy pack, with what the stack sets of its rules. */
export function policyFlags(stack: string): readonly string[] {
    const config = path.join(PACK, "stacks", `${stack}.json`);
    const flags = ["--policy-pack", PACK];
    return existsSync(config) ? [...flags, "--policy-pack-config", config] : flags;
}
